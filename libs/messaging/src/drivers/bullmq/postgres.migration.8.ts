/** The sweeper finds what a transaction of the user's stored while its type was declared to only read, and is no longer. */
export const MIGRATION_8 = `
-- As before; and what waits with a key, and neither stands in its mailbox nor only reads, comes into it. Such a message was
-- stored, but not committed, when consumers declared anew what only reads, or it was at work then and comes back.
CREATE OR REPLACE FUNCTION callsheet.heal(p_queue text) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = bullmq, pg_temp AS $$
DECLARE
  each record;
BEGIN
  FOR each IN
    SELECT m.key, m.id, j.state
      FROM callsheet.mailbox m LEFT JOIN job j ON j.queue = m.queue AND j.id = m.id
     WHERE m.queue = p_queue AND (j.id IS NULL OR j.state IN ('completed', 'failed')
        OR (j.state = 'waiting-children'
          AND NOT EXISTS (SELECT 1 FROM callsheet.mailbox b
            WHERE b.queue = m.queue AND b.key = m.key AND b.arrival < m.arrival)
          AND NOT EXISTS (SELECT 1 FROM callsheet.quarantine q WHERE q.queue = m.queue AND q.key = m.key)))
     ORDER BY hashtextextended('callsheet:key:' || m.queue || ':' || m.key, 0), m.arrival LIMIT 1000
  LOOP
    PERFORM callsheet.lock_key(p_queue, each.key);
    IF each.state = 'waiting-children' THEN PERFORM callsheet.advance(p_queue, each.key);
    ELSE PERFORM callsheet.leave(p_queue, each.id, each.key); END IF;
    RETURN NEXT each.key;
  END LOOP;
  FOR each IN
    SELECT j.id, j.name, j.state, j.opts->'callsheet'->>'key' AS key FROM job j
     WHERE j.queue = p_queue AND j.state IN ('waiting', 'waiting-children') AND j.opts->'callsheet' ? 'key'
       AND NOT EXISTS (SELECT 1 FROM callsheet.mailbox m WHERE m.queue = j.queue AND m.id = j.id)
       AND (j.state <> 'waiting'
         OR NOT EXISTS (SELECT 1 FROM callsheet.trait t WHERE t.queue = j.queue AND t.name = 'read ' || j.name))
     ORDER BY hashtextextended('callsheet:key:' || j.queue || ':' || (j.opts->'callsheet'->>'key'), 0), j.seq LIMIT 1000
  LOOP
    PERFORM callsheet.lock_key(p_queue, each.key);
    -- Of one that was parked the trigger does the rest. Unless somebody took it, or it came into its mailbox meanwhile.
    UPDATE job SET state = 'waiting' WHERE queue = p_queue AND id = each.id AND state = each.state
       AND NOT EXISTS (SELECT 1 FROM callsheet.mailbox WHERE queue = p_queue AND id = each.id);
    CONTINUE WHEN NOT FOUND;
    IF each.state = 'waiting' THEN PERFORM callsheet.arrive(p_queue, each.id, each.key, each.name); END IF;
    RETURN NEXT each.key;
  END LOOP;
END $$;
`;
