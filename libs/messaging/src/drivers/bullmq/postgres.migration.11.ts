/** What is noted under a name for a while. */
export const MIGRATION_11 = `
CREATE TABLE callsheet.note (name text PRIMARY KEY, value json NOT NULL, expires_at timestamptz NOT NULL);
CREATE INDEX note_expires_idx ON callsheet.note (expires_at);

-- Notes a value, unless one is noted; answers what is then. Each statement sees what was committed before it.
CREATE FUNCTION callsheet.take_note(p_name text, p_value json, p_age_ms bigint) RETURNS json
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
BEGIN
  DELETE FROM callsheet.note WHERE name = p_name AND expires_at <= now();
  INSERT INTO callsheet.note VALUES (p_name, p_value, now() + p_age_ms * interval '1 millisecond')
    ON CONFLICT (name) DO NOTHING;
  RETURN (SELECT value FROM callsheet.note WHERE name = p_name);
END $$;
`;
