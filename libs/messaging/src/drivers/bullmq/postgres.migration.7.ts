/** Journals of keys, removal of what is kept of a key, and messages that are stored in one step with a cancelled one. */
export const MIGRATION_7 = `
-- What turns of a key left for whoever looks later; id counts the rows of the key.
CREATE TABLE callsheet.journal (
  queue text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  id bigint NOT NULL,
  at bigint NOT NULL,
  entry json NOT NULL,
  PRIMARY KEY (queue, key, id)
);

-- As before; and p_rows (a list) are added to the journal of the key, of which the newest p_keep rows stay. With p_forget state and
-- journal of the key are removed instead: then CS004 is raised unless p_revision is the revision stored, 0 for none.
CREATE FUNCTION callsheet.complete(
  p_queue text, p_id text, p_token text, p_return_value jsonb, p_finished_on bigint, p_sends jsonb, p_window_ms bigint,
  p_key text, p_revision bigint, p_version integer, p_value json, p_forget boolean, p_rows json, p_keep bigint
) RETURNS void
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
DECLARE
  stored bigint;
  last bigint;
BEGIN
  PERFORM callsheet.complete(p_queue, p_id, p_token, p_return_value, p_finished_on, p_sends, p_window_ms,
    p_key, CASE WHEN NOT p_forget THEN p_revision END, p_version, p_value);
  -- The key is locked.
  IF p_forget THEN
    DELETE FROM callsheet.state WHERE queue = p_queue AND key = p_key RETURNING revision INTO stored;
    IF COALESCE(stored, 0) <> p_revision THEN
      RAISE EXCEPTION 'callsheet: state has changed' USING ERRCODE = 'CS004';
    END IF;
    DELETE FROM callsheet.journal WHERE queue = p_queue AND key = p_key;
  ELSIF p_rows IS NOT NULL THEN
    SELECT COALESCE(max(id), 0) INTO last FROM callsheet.journal WHERE queue = p_queue AND key = p_key;
    INSERT INTO callsheet.journal
      SELECT p_queue, p_key, last + place, extract(epoch FROM clock_timestamp()) * 1000, entry
        FROM json_array_elements(p_rows) WITH ORDINALITY AS r(entry, place);
    DELETE FROM callsheet.journal
     WHERE queue = p_queue AND key = p_key AND id <= last + json_array_length(p_rows) - p_keep;
  END IF;
END $$;

-- As before, and p_sends are stored. Raises as complete does.
CREATE FUNCTION callsheet.quit(
  p_queue text, p_id text, p_token text, p_finished_on bigint, p_progress jsonb, p_sends jsonb, p_window_ms bigint, p_key text
) RETURNS void
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
BEGIN
  PERFORM callsheet.lock_keys(p_sends, p_queue, p_key);
  PERFORM callsheet.quit(p_queue, p_id, p_token, p_finished_on, p_progress);
  PERFORM callsheet.send(p_sends, p_window_ms);
END $$;
`;
