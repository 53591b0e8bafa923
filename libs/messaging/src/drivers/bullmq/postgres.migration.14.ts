/** Messages that no turn has begun are withdrawn: see `Engine.withdraw`. */
export const MIGRATION_14 = `
-- As callsheet.cancel, of a message that no turn has begun; any other stays as it is, and counts as ended.
CREATE FUNCTION callsheet.withdraw(p_queue text, p_id text, p_now bigint) RETURNS text
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
DECLARE
  box text;
BEGIN
  SELECT opts->'callsheet'->>'key' INTO box FROM job WHERE queue = p_queue AND id = p_id;
  IF NOT FOUND THEN RETURN 'unknown'; END IF;
  IF box IS NOT NULL THEN PERFORM callsheet.lock_key(p_queue, box); END IF;
  PERFORM FROM job WHERE queue = p_queue AND id = p_id AND processed_at_ms IS NULL AND state <> 'active' FOR UPDATE;
  IF NOT FOUND THEN RETURN 'ended'; END IF;
  RETURN callsheet.cancel(p_queue, p_id, p_now);
END $$;
`;
