import type { MessagePlace, MessageState, SearchPage } from '../../engine.js';
import type { Found } from '../../search.result.js';
import { actorOf, DEAD } from './bullmq.job.js';
import type { FoundPlace } from './bullmq.store.js';
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
 * Messages of some queues that have a term, those sent last first.
 *
 * $1 queues, $2 term, $3 how many at most, $4 time and $5 id of the place behind which to begin (null: the beginning)
 */
const FOUND = `
SELECT queue, id, added_at_ms FROM bullmq.job
 WHERE queue = ANY($1::text[]) AND opts->'callsheet' ? 'terms' AND opts->'callsheet'->'terms' ? $2
   AND ($5::text IS NULL OR (added_at_ms, id COLLATE "C") < ($4::bigint, $5::text))
 ORDER BY added_at_ms DESC, id COLLATE "C" DESC LIMIT $3`;

/** As `BullmqStore.search`. */
export async function foundIn(
  pool: PoolLike,
  actors: readonly string[],
  term: string,
  { after, limit }: SearchPage,
): Promise<Found<FoundPlace>> {
  const queues = actors.flatMap((actor) => [actor, actor + DEAD]);
  const params = [queues, term, limit, after?.sentAt ?? null, after?.storageId ?? null];
  const { rows } = await pool.query(FOUND, params);
  const items = rows.map((row) => ({
    actor: actorOf(String(row['queue'])),
    sentAt: Number(row['added_at_ms']),
    storageId: String(row['id']),
  }));
  const last = items.length < limit ? undefined : items.at(-1);
  return { items, ...(last && { next: last }) };
}
