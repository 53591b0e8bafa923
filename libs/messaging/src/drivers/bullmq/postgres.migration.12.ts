/** Two that change what is bound at once can be told apart. */
export const MIGRATION_12 = `
-- As MIGRATION_9 has it; with p_higher also unless another value of the same revision is there.
CREATE FUNCTION callsheet.bind(p_owner text, p_value text, p_higher boolean) RETURNS boolean
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
BEGIN
  PERFORM 1 FROM callsheet.binding_version FOR UPDATE;
  IF p_value IS NULL THEN
    DELETE FROM callsheet.binding WHERE owner = p_owner;
  ELSE
    INSERT INTO callsheet.binding VALUES (p_owner, p_value::json)
      ON CONFLICT (owner) DO UPDATE SET value = EXCLUDED.value
      WHERE binding.value::jsonb <> EXCLUDED.value::jsonb
        AND COALESCE((binding.value->>'revision')::numeric < (EXCLUDED.value->>'revision')::numeric
          OR (NOT p_higher AND (binding.value->>'revision')::numeric = (EXCLUDED.value->>'revision')::numeric), true);
  END IF;
  IF NOT FOUND THEN RETURN false; END IF;
  UPDATE callsheet.binding_version SET id = gen_random_uuid();
  RETURN true;
END $$;

-- Processes of before go on with this.
CREATE OR REPLACE FUNCTION callsheet.bind(p_owner text, p_value text) RETURNS boolean
LANGUAGE sql SET search_path = bullmq, pg_temp AS $$ SELECT callsheet.bind(p_owner, p_value, false) $$;
`;
