import type { RedisClient } from 'bullmq';
import type { MessagePlace, MessageState } from '../../engine.js';
import { runScript } from './redis.run.js';

/**
 * Members of a sorted set and their scores, those of equal scores by id.
 *
 * KEYS[1]  the set
 * ARGV[1]  score and [2] id of the place behind which to begin; '-inf' or '+inf' and '' for the beginning
 * ARGV[3]  how many at most
 * ARGV[4]  'up' or 'down'
 * returns  id, score, id, score ...
 */
const SCORED = (): string => `
local found, offset, limit = {}, 0, tonumber(ARGV[3])
local isUp = ARGV[4] == 'up'
local command, last = 'ZREVRANGEBYSCORE', '-inf'
if isUp then command, last = 'ZRANGEBYSCORE', '+inf' end
while #found < 2 * limit do
  local page = redis.call(command, KEYS[1], ARGV[1], last, 'WITHSCORES', 'LIMIT', offset, limit)
  if #page == 0 then break end
  for i = 1, #page, 2 do
    local isBehind = ARGV[2] == '' or tonumber(page[i + 1]) ~= tonumber(ARGV[1])
    if not isBehind and isUp then isBehind = page[i] > ARGV[2] end
    if not isBehind and not isUp then isBehind = page[i] < ARGV[2] end
    if isBehind and #found < 2 * limit then
      found[#found + 1] = page[i]
      found[#found + 1] = page[i + 1]
    end
  end
  offset = offset + limit
end
return found
`;

/**
 * The first jobs of one of BullMQ's lists, at most 1,000, each with a number that it has.
 *
 * KEYS[1]  key prefix of the queue
 * ARGV     name of the list; name of the field
 * returns  id, number, id, number ...
 */
const LISTED = (): string => `
local found = {}
for _, id in ipairs(redis.call('LRANGE', KEYS[1] .. ARGV[1], -1000, -1)) do
  found[#found + 1] = id
  found[#found + 1] = redis.call('HGET', KEYS[1] .. id, ARGV[2]) or '0'
end
return found
`;

/** How scores are made of a priority and a counter. */
const PRIORITY = 0x100000000;

/** The sets in which the jobs of a state are, and in which order they are listed. */
const SETS = {
  parked: ['waiting-children', 'up'],
  delayed: ['delayed', 'up'],
  done: ['completed', 'down'],
  cancelled: ['completed', 'down'],
  dead: ['failed', 'down'],
} as const satisfies Partial<Record<MessageState, readonly [set: string, way: 'up' | 'down']>>;

/** Where the jobs of a queue stand, as `TurnBackend.places` says. */
export class RedisPlaces {
  constructor(
    private readonly client: () => Promise<RedisClient>,
    private readonly prefix: string,
  ) {}

  async list(
    state: MessageState,
    after: MessagePlace | undefined,
    limit: number,
  ): Promise<MessagePlace[]> {
    if (state === 'active') return this.listed('active', 'processedOn', after, limit);
    if (state === 'waiting') return this.waiting(after, limit);
    const [set, way] = SETS[state];
    const found = await this.scored(set, way, after && [after.order, after.storageId], limit);
    return found.map(([storageId, order]) => ({ rank: 0, order, storageId }));
  }

  /** Jobs without priority, which only plain BullMQ producers add, are served before all others. */
  private async waiting(after: MessagePlace | undefined, limit: number): Promise<MessagePlace[]> {
    const isBehind = after !== undefined && after.rank > 0;
    const first = isBehind ? [] : await this.listed('wait', 'timestamp', after, limit);
    if (first.length === limit) return first;
    const place = isBehind ? ([scoreOf(after), after.storageId] as const) : undefined;
    const found = await this.scored('prioritized', 'up', place, limit - first.length);
    const rest = found.map(([storageId, score]) => {
      return { rank: Math.floor(score / PRIORITY), order: score % PRIORITY, storageId };
    });
    return [...first, ...rest];
  }

  private async scored(
    set: string,
    way: 'up' | 'down',
    after: readonly [score: number, id: string] | undefined,
    limit: number,
  ): Promise<[id: string, score: number][]> {
    const place = after ?? [way === 'up' ? '-inf' : '+inf', ''];
    const args = [1, this.prefix + set, ...place, limit, way];
    return pairs(await runScript(await this.client(), 'scored', SCORED, args));
  }

  private async listed(
    list: string,
    field: string,
    after: MessagePlace | undefined,
    limit: number,
  ): Promise<MessagePlace[]> {
    const args = [1, this.prefix, list, field];
    const found = pairs(await runScript(await this.client(), 'listed', LISTED, args));
    return found
      .map(([storageId, order]) => ({ rank: 0, order, storageId }))
      .sort(inOrder)
      .filter((place) => after === undefined || inOrder(place, after) > 0)
      .slice(0, limit);
  }
}

function scoreOf({ rank, order }: MessagePlace): number {
  return rank * PRIORITY + order;
}

function inOrder(a: MessagePlace, b: MessagePlace): number {
  return a.order - b.order || (a.storageId < b.storageId ? -1 : a.storageId > b.storageId ? 1 : 0);
}

function pairs(answer: unknown): [id: string, number: number][] {
  const flat = answer as string[];
  const found: [string, number][] = [];
  for (let i = 0; i < flat.length; i += 2) found.push([flat[i] ?? '', Number(flat[i + 1])]);
  return found;
}
