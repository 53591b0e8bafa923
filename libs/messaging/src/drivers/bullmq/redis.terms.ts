import type { RedisClient } from 'bullmq';
import type { SearchPage, SearchPlace } from '../../engine.js';
import type { Found } from '../../search.result.js';
import { runScript } from './redis.run.js';

/** How many entries the index of an actor has at most; those of the messages sent first go. */
export const MOST_ENTRIES = 100_000;

/** How many entries a search looks at, at least. */
const MOST_LOOKED_AT = 1_000;

/**
 * `index(p, entries)`: what messages are found by, in two sorted sets of an actor, whose key prefix is `p`: `terms`, in which the
 * entries of a term stand together, those sent last at its end, and `terms:at` with the same entries by when they were sent. An entry
 * whose message is gone stays until it is found so, or among the oldest.
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

/**
 * Entries of a term whose messages have it still, at most so many; those that lead nowhere go. Looks at a thousand.
 *
 * KEYS[1]  key prefix of the actor's queue, [2] of its dead letters
 * ARGV[1]  the term; [2] the entry behind which to begin, or '' for the beginning; [3] how many
 * returns  the entry with which it ended, '' when there are no more, then those found
 */
const FIND = (): string => `
local term, from, left = ARGV[1], ARGV[2] == '' and '(' .. ARGV[1] .. '}' or '(' .. ARGV[2], tonumber(ARGV[3])
local found, last, looked = {}, '', 0
local function leads(entry)
  local at, id = string.match(entry, '|(%d+)|(.*)$')
  for _, p in ipairs(KEYS) do
    local job = redis.call('HMGET', p .. id, 'timestamp', 'opts')
    -- Another message may have the id by now, or this one other data.
    if tonumber(job[1] or nil) == tonumber(at) and string.find(job[2] or '', term, 1, true) then return true end
  end
  return false
end
while #found < left and looked < ${MOST_LOOKED_AT} do
  local page = redis.call('ZREVRANGEBYLEX', KEYS[1] .. 'terms', from, '[' .. term .. '|', 'LIMIT', 0, 100)
  for _, entry in ipairs(page) do
    if #found == left then break end
    last = entry
    if leads(entry) then
      found[#found + 1] = entry
    else
      redis.call('ZREM', KEYS[1] .. 'terms', entry)
      redis.call('ZREM', KEYS[1] .. 'terms:at', entry)
    end
  end
  if #page < 100 and (#page == 0 or last == page[#page]) then
    last = ''
    break
  end
  looked = looked + #page
  from = '(' .. last
end
table.insert(found, 1, last)
return found
`;

/** Messages of an actor that have the term, those sent last first. @param prefixes key prefixes of its queue and its dead letters */
export async function foundIn(
  client: RedisClient,
  prefixes: readonly [live: string, dead: string],
  term: string,
  { after, limit }: SearchPage,
): Promise<Found<SearchPlace>> {
  const args = [2, ...prefixes, term, after ? entryAt(term, after) : '', limit];
  const [last = '', ...entries] = (await runScript(client, 'find', FIND, args)) as string[];
  return { items: entries.map(placeIn), ...(last !== '' && { next: placeIn(last) }) };
}

function placeIn(entry: string): SearchPlace {
  const [, sentAt, storageId = ''] = entry.split('|');
  return { sentAt: Number(sentAt), storageId };
}

/** Times in as many digits as any has until the year 2286, so that their texts are ordered as they are. */
function entryAt(term: string, { sentAt, storageId }: SearchPlace): string {
  return `${term}|${String(sentAt).padStart(13, '0')}|${storageId}`;
}
