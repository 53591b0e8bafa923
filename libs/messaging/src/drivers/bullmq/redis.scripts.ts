import { composeScript } from './bullmq.package.js';
import { DRAINING, MAILBOX } from './redis.mailbox.js';
import { ADDS, SENDS } from './redis.sends.js';
import { INDEX } from './redis.terms.js';

/** A job's records move from one queue to the other. */
export const TRANSFER = `
local function transfer(from, to, id)
  redis.call('RENAME', from .. id, to .. id)
  if redis.call('EXISTS', from .. id .. ':logs') == 1 then
    redis.call('RENAME', from .. id .. ':logs', to .. id .. ':logs')
  end
end
`;

/**
 * Stores messages, all or none.
 *
 * KEYS[1]  prefix of the remembered ids
 * ARGV     as SENDS has them
 * returns  { 0 }, or a refusal as SENDS has it: then nothing is stored
 */
export const SEND = (): string =>
  composeScript(
    ADDS,
    `${SENDS}
local plan, refusal = planned(ARGV, 1, KEYS[1], nil)
if not plan then return refusal end
store(plan)
return { 0 }
`,
  );

/**
 * Cancels a message: one that waits ends at once, one in work is marked, and every process is told.
 *
 * KEYS[1]  key prefix of its queue
 * ARGV[1]  id, [2] time, [3] channel on which cancelled messages are told, [4] prefix of the channels of inboxes,
 *          [5] 'unbegun': only one that no turn has begun, any other counts as ended
 * returns  'cancelled', 'cancelling', 'ended' or 'unknown', as the engine's cancel. An occurrence of a schedule that has
 *          not started is only marked, and ends when its time comes: BullMQ would forget the schedule with it
 */
export const CANCEL = (): string => `${DRAINING}${MAILBOX}
local live, id, now = KEYS[1], ARGV[1], ARGV[2]
local key = live .. id
local opts = redis.call('HGET', key, 'opts')
if not opts then return 'unknown' end
local known = cjson.decode(opts)
local function mark()
  if known.callsheetCancelled then return end
  -- Added to the text as it is: Lua would not write every value back as it was.
  local comma = opts == '{}' and '' or ','
  redis.call('HSET', key, 'opts', string.sub(opts, 1, -2) .. comma .. '"callsheetCancelled":' .. now .. '}')
end
if ARGV[5] == 'unbegun' and redis.call('HEXISTS', key, 'processedOn') == 1 then return 'ended' end
if redis.call('LPOS', live .. 'active', id) then
  mark()
  redis.call('PUBLISH', ARGV[3], id)
  return 'cancelling'
end
if redis.call('ZSCORE', live .. 'completed', id) or redis.call('ZSCORE', live .. 'failed', id) then return 'ended' end
if redis.call('HEXISTS', key, 'rjk') == 1 then
  mark()
  return 'cancelled'
end
local box = keyOf(live, id)
local found = redis.call('ZREM', live .. 'prioritized', id) + redis.call('ZREM', live .. 'delayed', id) +
  redis.call('LREM', live .. 'wait', 1, id) + (box and redis.call('ZREM', live .. 'waiting-children', id) or 0)
if found == 0 then return 'unknown' end
local progress = redis.call('HGET', key, 'progress') or '{}'
local isJson, parts = pcall(cjson.decode, progress)
-- A plain producer reports what it likes. Ours is kept as text: Lua would write an empty list back as an object.
local isOurs = isJson and type(parts) == 'table' and type(parts.attempts) == 'table'
local start = isOurs and string.sub(progress, 1, -2) or '{"attempts":[]'
redis.call('HSET', key, 'progress', start .. ',"cancelled":' .. now .. '}', 'returnvalue', 'null', 'finishedOn', now, 'delay', '0')
redis.call('ZADD', live .. 'completed', now, id)
redis.call('XADD', live .. 'events', 'MAXLEN', '~', 10000, '*', 'event', 'completed', 'jobId', id, 'returnvalue', 'null', 'prev', 'waiting')
local own = known.callsheet or {}
leave(live, id, box)
if own.replyTo then redis.call('PUBLISH', ARGV[4] .. own.replyTo, own.id) end
return 'cancelled'
`;

/**
 * Puts a dead letter back into its actor's queue.
 *
 * KEYS     those of reprocessJob, for the actor's queue
 * ARGV     those of reprocessJob (1..6: [1] id), [7] key prefix of the actor's queue, [8] key prefix of the dead letters,
 *          [9] new progress (JSON), [10] new data, [11] new options (JSON) and [12] new entries of the index, or '' for those it has
 * returns  1, or -3 when there is no such dead letter
 */
export const REDRIVE = (): string =>
  composeScript(
    ['reprocessJob'],
    `${TRANSFER}${MAILBOX}${INDEX}
local id, live, dead = ARGV[1], ARGV[7], ARGV[8]
if redis.call('ZREM', dead .. 'failed', id) == 0 then return -3 end
transfer(dead, live, id)
local key = live .. id
redis.call('HSET', key, 'progress', ARGV[9])
if ARGV[10] ~= '' then redis.call('HSET', key, 'data', ARGV[10], 'opts', ARGV[11]) end
index(live, ARGV[12])
local opts = redis.call('HGET', key, 'opts') or '{}'
redis.call('HSET', key, 'opts', (string.gsub(opts, ',?"callsheetCancelled":%d+', '')))
redis.call('HDEL', key, 'stc', 'stacktrace', 'defa')
redis.call('ZADD', live .. 'failed', 0, id)
local result = reprocessJob(KEYS, ARGV)
local box = keyOf(live, id)
if box then
  if redis.call('ZREM', live .. 'prioritized', id) == 0 then redis.call('LREM', live .. 'wait', 1, id) end
  rejoin(live, id, box, redis.call('HGET', key, 'name'))
end
return result
`,
  );

/**
 * Changes what a dead letter holds, if it still is the one that was read.
 *
 * KEYS[1]  key prefix of the dead letters, [2] of the actor's queue
 * ARGV[1]  id, [2] when it died, [3] how often it was redriven, [4] new reason, [5] stacks and [6] progress (JSON), [7] data,
 *          [8] options (JSON), [9] entries of the index
 * returns  1, or 0 when there is no such dead letter
 */
export const REWRITE = (): string => `${DRAINING}${INDEX}
local p, id = KEYS[1], ARGV[1]
local job = redis.call('HMGET', p .. id, 'finishedOn', 'progress')
if not redis.call('ZSCORE', p .. 'failed', id) or job[1] ~= ARGV[2] then return 0 end
local progress = cjson.decode(job[2] or '0')
local redrives = type(progress) == 'table' and progress.redrives or 0
if redrives ~= tonumber(ARGV[3]) then return 0 end
redis.call('HSET', p .. id, 'failedReason', ARGV[4], 'stacktrace', ARGV[5], 'progress', ARGV[6], 'data', ARGV[7], 'opts', ARGV[8])
index(KEYS[2], ARGV[9])
return 1
`;

/** Removes ended jobs and all that belongs to them. */
const REMOVE = `
local function remove(prefix, id)
  local key = prefix .. id
  redis.call('DEL', key, key .. ':logs', key .. ':dependencies', key .. ':processed', key .. ':failed', key .. ':unsuccessful')
end
`;

/**
 * Removes a dead letter for good.
 *
 * KEYS[1]  key prefix of the dead letters
 * ARGV[1]  id
 * returns  1, or 0 when there is no such dead letter
 */
export const DISCARD = (): string => `${REMOVE}
if redis.call('ZREM', KEYS[1] .. 'failed', ARGV[1]) == 0 then return 0 end
remove(KEYS[1], ARGV[1])
return 1
`;

/**
 * Drops ended messages that are too old or too many, oldest first, at most 1,000 of each.
 *
 * KEYS[1]  key prefix of the queue, [2] its set of those that ended
 * ARGV[1]  those that ended up to then go, epoch ms or '-inf', [2] how many may stay, or '' for all
 * returns  how many were dropped
 */
export const FORGET = (): string => `${REMOVE}
local dropped = 0
local function drop(ids)
  for _, id in ipairs(ids) do
    redis.call('ZREM', KEYS[2], id)
    remove(KEYS[1], id)
  end
  dropped = dropped + #ids
end
drop(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1], 'LIMIT', 0, 1000))
if ARGV[2] ~= '' then
  local over = math.min(1000, redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[2]))
  if over > 0 then drop(redis.call('ZRANGE', KEYS[2], 0, over - 1)) end
end
return dropped
`;

/**
 * Messages that have waited for long: of each of the first twenty priorities worse than one, those that came first.
 *
 * KEYS[1]  key prefix of the queue
 * ARGV     the priority; since when they could have been served, epoch ms; how many at most
 * returns  their ids
 */
export const OVERDUE = (): string => `
local set, found, from = KEYS[1] .. 'prioritized', {}, (tonumber(ARGV[1]) + 1) * 0x100000000
-- Equal ones in the order stored: behind one that is not old enough none is.
for _ = 1, 20 do
  local first = redis.call('ZRANGEBYSCORE', set, string.format('%.0f', from), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  local left = tonumber(ARGV[3]) - #found
  if not first[2] or left <= 0 then break end
  local low = math.floor(tonumber(first[2]) / 0x100000000) * 0x100000000
  from = low + 0x100000000
  local high = '(' .. string.format('%.0f', from)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', set, string.format('%.0f', low), high, 'LIMIT', 0, left)) do
    local job = redis.call('HMGET', KEYS[1] .. id, 'timestamp', 'opts')
    local own = job[2] and cjson.decode(job[2]).callsheet or {}
    local at = tonumber(own.dueAt or job[1])
    if not at or at > tonumber(ARGV[2]) then break end
    found[#found + 1] = id
  end
end
return found
`;

/**
 * Since when that message waits which has waited longest: of the first of each lane and of the lowest priority, of those
 * without priority, and of the key whose mailbox has not been empty for longest.
 *
 * KEYS[1]  key prefix of the queue
 * ARGV     priorities of the lanes
 * returns  epoch ms, or nothing when none waits
 */
export const OLDEST = (): string => `
local set, ids, oldest = KEYS[1] .. 'prioritized', {}, nil
local function first(priority)
  local low = string.format('%.0f', priority * 0x100000000)
  local high = string.format('%.0f', (priority + 1) * 0x100000000 - 1)
  ids[#ids + 1] = redis.call('ZRANGEBYSCORE', set, low, high, 'LIMIT', 0, 1)[1]
end
for _, lane in ipairs(ARGV) do first(tonumber(lane)) end
local last = redis.call('ZREVRANGE', set, 0, 0, 'WITHSCORES')
if last[2] then first(math.floor(tonumber(last[2]) / 0x100000000)) end
ids[#ids + 1] = redis.call('ZRANGE', set, 0, 0)[1]
ids[#ids + 1] = redis.call('LINDEX', KEYS[1] .. 'wait', -1) or nil
local box = redis.call('ZRANGE', KEYS[1] .. 'mailboxes', 0, 0)[1]
for _, id in ipairs(box and redis.call('ZRANGE', KEYS[1] .. 'mailbox:' .. box, 0, 1) or {}) do
  if not redis.call('LPOS', KEYS[1] .. 'active', id) then ids[#ids + 1] = id end
end
for _, id in ipairs(ids) do
  local job = redis.call('HMGET', KEYS[1] .. id, 'timestamp', 'opts')
  local own = job[2] and cjson.decode(job[2]).callsheet or {}
  local at = tonumber(own.dueAt or job[1])
  if at and (not oldest or at < oldest) then oldest = at end
end
return oldest and string.format('%.0f', oldest)
`;

/**
 * Makes a value what an owner has bound, unless it is that already, or a higher revision is there.
 *
 * KEYS[1]  hash of the bindings
 * ARGV     the owner; JSON, '' for nothing; its revision, '' for none; the field of the version; another version; 'higher' when the
 *          same revision may not be there either, or ''
 * returns  1 when that changed something
 */
export const BIND = `
local stored = redis.call('HGET', KEYS[1], ARGV[1])
if (stored or '') == ARGV[2] then return 0 end
if stored and ARGV[3] ~= '' then
  local isJson, old = pcall(cjson.decode, stored)
  local before = isJson and type(old) == 'table' and tonumber(old.revision)
  local now = tonumber(ARGV[3])
  if before and (before > now or (before == now and ARGV[6] == 'higher')) then return 0 end
end
if ARGV[2] == '' then redis.call('HDEL', KEYS[1], ARGV[1])
else redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
-- A full server lets go of something, but writes nothing: then there is no version.
local written = redis.pcall('HSET', KEYS[1], ARGV[4], ARGV[5])
if type(written) == 'table' and written.err then redis.call('HDEL', KEYS[1], ARGV[4]) end
return 1
`;

/**
 * Notes a value, unless one is noted.
 *
 * KEYS[1]  where
 * ARGV     JSON; for how long, ms
 * returns  what is noted then
 */
export const NOTE = `
local noted = redis.call('GET', KEYS[1])
if noted then return noted end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
`;

/**
 * Notes that a release of an actor is there. A full server does not.
 *
 * KEYS[1]  sorted set of the releases of the actor
 * ARGV     the release; how many are kept
 */
export const PRESENT = `
local time = redis.call('TIME')
redis.pcall('ZADD', KEYS[1], time[1] * 1000 + math.floor(time[2] / 1000), ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[2])
`;

/**
 * KEYS[1]  sorted set of the releases of an actor
 * returns  what time it is, epoch ms; then each release, and when it was there last
 */
export const SIGHTINGS = `
local time = redis.call('TIME')
local seen = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
return { time[1] * 1000 + math.floor(time[2] / 1000), unpack(seen) }
`;
