/** Messages are found by their terms: see `Engine.search`. */
export const MIGRATION_13 = `
CREATE INDEX job_terms_idx ON bullmq.job USING gin ((opts->'callsheet'->'terms')) WHERE opts->'callsheet' ? 'terms';

-- As MIGRATION_6 has it; with other data the message has other terms, or none.
CREATE FUNCTION callsheet.redrive(
  p_queue text, p_id text, p_progress jsonb, p_data jsonb, p_types jsonb, p_keyed boolean, p_terms jsonb
) RETURNS boolean
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
BEGIN
  -- First, as it locks the key before the message.
  IF NOT callsheet.redrive(p_queue, p_id, p_progress, p_data, p_types, p_keyed) THEN RETURN false; END IF;
  UPDATE job
     SET opts = opts || jsonb_build_object('callsheet', COALESCE(opts->'callsheet', '{}') - 'terms'
           || jsonb_strip_nulls(jsonb_build_object('terms', p_terms)))
   WHERE queue = p_queue AND id = p_id AND p_data IS NOT NULL;
  RETURN true;
END $$;
`;
