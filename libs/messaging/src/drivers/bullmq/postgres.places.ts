import type { MessagePlace, MessageState, SearchPage, SearchPlace } from '../../engine.js';
import type { PoolLike } from './sql.store.js';

/**
 * Where jobs of one state stand, one way or the other.
 *
 * $1 queue, $2 how many at most, $3 id of the place behind which to begin (null: the beginning), $4 and, if there are two
 * columns, $5 the numbers of that place
 */
function places(state: string, columns: readonly string[], way: 'up' | 'down' = 'up'): string {
  const [sign, order] = way === 'up' ? ['>', 'ASC'] : ['<', 'DESC'];
  const numbers = columns.map((_, index) => `$${index + 4}::bigint`);
  const sorted = [...columns, 'id COLLATE "C"'];
  return `
SELECT id, ${columns.length > 1 ? columns[0] : '0'} AS rank, ${columns.at(-1)} AS place
  FROM bullmq.job
 WHERE queue = $1 AND state = '${state}'
   AND ($3::text IS NULL OR (${sorted.join(', ')}) ${sign} (${numbers.join(', ')}, $3::text))
 ORDER BY ${sorted.map((column) => `${column} ${order}`).join(', ')}
 LIMIT $2`;
}

const COMPLETED = places('completed', ['finished_at_ms'], 'down');

/** By state, a statement that an index of BullMQ's answers; few jobs are active. */
const STATEMENTS: Record<MessageState, string> = {
  waiting: places('waiting', ['priority', 'seq']),
  parked: places('waiting-children', ['seq']),
  delayed: places('delayed', ['process_at_ms']),
  active: places('active', ['processed_at_ms']),
  done: COMPLETED,
  cancelled: COMPLETED,
  dead: places('failed', ['finished_at_ms'], 'down'),
};

/** As `TurnBackend.places`, of a queue. */
export async function placesIn(
  pool: PoolLike,
  queue: string,
  state: MessageState,
  after: MessagePlace | undefined,
  limit: number,
): Promise<MessagePlace[]> {
  const numbers = [after?.rank ?? 0, after?.order ?? 0].slice(state === 'waiting' ? 0 : 1);
  const params = [queue, limit, after?.storageId ?? null, ...numbers];
  const { rows } = await pool.query(STATEMENTS[state], params);
  return rows.map(({ id, rank, place }) => ({
    rank: Number(rank),
    order: Number(place),
    storageId: String(id),
  }));
}

/**
 * Messages of a queue, and its dead letters, that have a term, those sent last first.
 *
 * $1 queue, $2 queue of the dead letters, $3 term, $4 how many at most, $5 time and $6 id of the place behind which to begin (null:
 * the beginning)
 */
const FOUND = `
SELECT id, added_at_ms FROM bullmq.job
 WHERE queue IN ($1, $2) AND opts->'callsheet' ? 'terms' AND opts->'callsheet'->'terms' ? $3
   AND ($6::text IS NULL OR (added_at_ms, id COLLATE "C") < ($5::bigint, $6::text))
 ORDER BY added_at_ms DESC, id COLLATE "C" DESC LIMIT $4`;

/** As `TurnBackend.search`, of a queue and that of its dead letters. */
export async function foundIn(
  pool: PoolLike,
  queues: readonly [live: string, dead: string],
  term: string,
  { after, limit }: SearchPage,
): Promise<SearchPlace[]> {
  const params = [...queues, term, limit, after?.sentAt ?? null, after?.storageId ?? null];
  const { rows } = await pool.query(FOUND, params);
  return rows.map((row) => ({
    sentAt: Number(row['added_at_ms']),
    storageId: String(row['id']),
  }));
}
