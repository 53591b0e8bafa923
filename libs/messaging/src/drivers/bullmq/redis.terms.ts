import type { RedisClient } from 'bullmq';
import type { Redis } from 'ioredis';
import type { SearchPage, SearchPlace } from '../../engine.js';

/** How many entries the index of an actor has at most; those of the messages sent first go. */
export const MOST_ENTRIES = 100_000;

/**
 * `index(p, entries)`: what messages are found by, in two sorted sets of an actor, whose key prefix is `p`: `terms`, in which the
 * entries of a term stand together, those sent last at its end, and `terms:at` with the same entries by when they were sent. An entry
 * whose message is gone stays until it is among the oldest.
 */
export const INDEX = `
local function index(p, entries)
  for entry in string.gmatch(entries, '%S+') do
    redis.call('ZADD', p .. 'terms', 0, entry)
    redis.call('ZADD', p .. 'terms:at', string.match(entry, '|(%d+)|'), entry)
  end
  local over = entries ~= '' and redis.call('ZCARD', p .. 'terms:at') - ${MOST_ENTRIES} or 0
  if over > 0 then
    local popped = redis.call('ZPOPMIN', p .. 'terms:at', math.min(over, 100))
    for i = 1, #popped, 2 do redis.call('ZREM', p .. 'terms', popped[i]) end
  end
end
`;

/** The entries of a message, as {@link INDEX} takes them. */
export function entriesOf(id: string, sentAt: number, terms: readonly string[] = []): string {
  return terms.map((term) => entryAt(term, { sentAt, storageId: id })).join(' ');
}

/** Messages that have the term, or had it, those sent last first. @param prefix key prefix of the actor's queue */
export async function foundIn(
  client: RedisClient,
  prefix: string,
  term: string,
  { after, limit }: SearchPage,
): Promise<SearchPlace[]> {
  const from = after ? `(${entryAt(term, after)}` : `(${term}}`;
  const redis = client as unknown as Pick<Redis, 'zrevrangebylex'>;
  const entries = await redis.zrevrangebylex(
    `${prefix}terms`,
    from,
    `[${term}|`,
    'LIMIT',
    0,
    limit,
  );
  return entries.map((entry) => {
    const [, sentAt, storageId = ''] = entry.split('|');
    return { sentAt: Number(sentAt), storageId };
  });
}

/** Times in as many digits as any has until the year 2286, so that their texts are ordered as they are. */
function entryAt(term: string, { sentAt, storageId }: SearchPlace): string {
  return `${term}|${String(sentAt).padStart(13, '0')}|${storageId}`;
}
