/** What leads events to actors is one table with one version, for subscriptions and stored routes alike. */
export const MIGRATION_9 = `
CREATE TABLE callsheet.binding (owner text COLLATE "C" PRIMARY KEY, value json NOT NULL);
CREATE TABLE callsheet.binding_version (id uuid PRIMARY KEY);
INSERT INTO callsheet.binding_version VALUES (gen_random_uuid());
INSERT INTO callsheet.binding
  SELECT 'actor:' || actor, json_agg(json_build_object('type', type) ORDER BY type)
    FROM callsheet.subscription GROUP BY actor;

-- Makes p_value what p_owner has bound, unless a higher revision is there; NULL: nothing; and whether that changed anything. One at
-- a time: the version is that of the whole table.
CREATE FUNCTION callsheet.bind(p_owner text, p_value text) RETURNS boolean
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
BEGIN
  PERFORM 1 FROM callsheet.binding_version FOR UPDATE;
  IF p_value IS NULL THEN
    DELETE FROM callsheet.binding WHERE owner = p_owner;
  ELSE
    INSERT INTO callsheet.binding VALUES (p_owner, p_value::json)
      ON CONFLICT (owner) DO UPDATE SET value = EXCLUDED.value
      WHERE binding.value::jsonb <> EXCLUDED.value::jsonb
        AND COALESCE((binding.value->>'revision')::numeric <= (EXCLUDED.value->>'revision')::numeric, true);
  END IF;
  IF NOT FOUND THEN RETURN false; END IF;
  UPDATE callsheet.binding_version SET id = gen_random_uuid();
  RETURN true;
END $$;

DROP FUNCTION callsheet.subscribe(text, text[]);
DROP TABLE callsheet.subscription;
`;
