import { NOW } from './postgres.clock.js';

/** Which releases of an actor have been there, and when last. */
export const MIGRATION_10 = `
CREATE TABLE callsheet.release (actor text, id text, seen_at_ms bigint NOT NULL, PRIMARY KEY (actor, id));

-- Notes that a release is there, and forgets all but p_keep of its actor.
CREATE FUNCTION callsheet.present(p_actor text, p_id text, p_keep integer) RETURNS void
LANGUAGE sql SET search_path = bullmq, pg_temp AS $$
  INSERT INTO callsheet.release VALUES (p_actor, p_id, ${NOW})
    ON CONFLICT (actor, id) DO UPDATE SET seen_at_ms = EXCLUDED.seen_at_ms;
  DELETE FROM callsheet.release WHERE actor = p_actor AND id IN (
    SELECT id FROM callsheet.release WHERE actor = p_actor ORDER BY seen_at_ms DESC, id OFFSET p_keep);
$$;
`;
