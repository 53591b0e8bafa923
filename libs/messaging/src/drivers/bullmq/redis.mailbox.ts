import { NOTHING } from './redis.keys.js';

/**
 * The beginning of a script that ends, moves or removes messages, so that a full server lets it: under `noeviction` it refuses a
 * command that takes memory, but not in the middle of a script that has written already, and deleting is always allowed. Not for
 * scripts that send.
 */
export const DRAINING = `redis.call('DEL', '${NOTHING}')\n`;

/**
 * Mailboxes of keys, in Lua: what every script is made of that stores, takes, ends or removes messages.
 *
 * Every message is a BullMQ job. Of those that stand in a key's mailbox BullMQ sees the first as it sees any job; the others
 * are parked in its `waiting-children`, from where it takes nothing by itself. Kept for each queue, under its key prefix `p`:
 *
 * - `mailbox:<key>`     sorted set of the ids that stand there, by arrival
 * - `mailboxes`         sorted set of the keys whose mailboxes are not empty, by the arrival of their first
 * - `arrivals`          counter
 * - `quarantine`        hash: key -> since, storage id and attempt, as JSON
 * - `traits`            hash: `mailbox` -> the most that wait per key; `read <type>` -> 1
 * - `state:<key>`       hash: revision, version, value (JSON of a Carried)
 * - `states`            sorted set of the keys that have one, all with the same score, so by their bytes
 * - `journal:<key>`     stream: row (JSON)
 * - `deaths`            counter
 * - on a job            `callsheet:key`, and `callsheet:death`: the number of its last death
 */
export const MAILBOX = `
local function keyOf(p, id) return redis.call('HGET', p .. id, 'callsheet:key') or nil end
local function isRead(p, name) return redis.call('HEXISTS', p .. 'traits', 'read ' .. name) == 1 end
local function isQuarantined(p, key) return redis.call('HEXISTS', p .. 'quarantine', key) == 1 end

local function tell(p, event, id, prev)
  redis.call('XADD', p .. 'events', '*', 'event', event, 'jobId', id, 'prev', prev)
end

local function wake(p) redis.call('ZADD', p .. 'marker', '0', '0') end

-- Runnable, behind all that wait with its priority: so no key holds up another for more than one turn. Workers are woken for it,
-- unless that is left to the caller, who is told.
local function offer(p, id, prev, priority, isQuiet)
  priority = tonumber(priority or redis.call('HGET', p .. id, 'priority')) or 0
  if priority == 0 then
    redis.call('LPUSH', p .. 'wait', id)
  else
    local place = redis.call('INCR', p .. 'pc')
    redis.call('ZADD', p .. 'prioritized', string.format('%.0f', priority * 0x100000000 + place % 0x100000000), id)
  end
  if not isQuiet then wake(p) end
  tell(p, 'waiting', id, prev)
  return true
end

local function park(p, id, arrival)
  redis.call('ZADD', p .. 'waiting-children', arrival, id)
end

-- A message, in no set of BullMQ's, whose time has come: runnable, or parked behind others of its key.
local function arrive(p, id, key, name, prev, priority, isQuiet)
  if not key or isRead(p, name) then return offer(p, id, prev, priority, isQuiet) end
  local mailbox, arrival = p .. 'mailbox:' .. key, redis.call('INCR', p .. 'arrivals')
  redis.call('ZADD', mailbox, arrival, id)
  if redis.call('ZCARD', mailbox) > 1 then return park(p, id, arrival) end
  redis.call('ZADD', p .. 'mailboxes', arrival, key)
  if isQuarantined(p, key) then return park(p, id, arrival) end
  offer(p, id, prev, priority, isQuiet)
end

-- The first of a key becomes runnable. Those that somebody deleted by hand are passed over. It may be known which that is, and
-- its arrival.
local function advance(p, key, id, arrival, isQuiet)
  local mailbox = p .. 'mailbox:' .. key
  while true do
    if not id then
      local first = redis.call('ZRANGE', mailbox, '0', '0', 'WITHSCORES')
      id, arrival = first[1], first[2]
    end
    if not id then
      redis.call('ZREM', p .. 'mailboxes', key)
      return
    end
    local priority = redis.call('HGET', p .. id, 'priority')
    if priority or redis.call('EXISTS', p .. id) == 1 then
      redis.call('ZADD', p .. 'mailboxes', arrival, key)
      if isQuarantined(p, key) then return end
      redis.call('ZREM', p .. 'waiting-children', id)
      return offer(p, id, 'waiting-children', priority, isQuiet)
    end
    redis.call('ZREM', mailbox, id)
    redis.call('ZREM', p .. 'waiting-children', id)
    id = nil
  end
end

-- A message, in no set of BullMQ's, that ended or is removed. One that only reads stood in no mailbox. @returns true if another is offered
local function leave(p, id, key, isQuiet)
  if not key then return end
  local mailbox = p .. 'mailbox:' .. key
  local first = redis.call('ZRANGE', mailbox, '0', '1', 'WITHSCORES')
  if redis.call('ZREM', mailbox, id) == 1 and first[1] == id then return advance(p, key, first[3], first[4], isQuiet) end
end

-- As arrive; but redriven messages stand in the order in which they died, in whatever order they are redriven. The first
-- gives way too, unless it has begun.
local function rejoin(p, id, key, name)
  arrive(p, id, key, name, 'failed')
  local mailbox, death = p .. 'mailbox:' .. (key or ''), tonumber(redis.call('HGET', p .. id, 'callsheet:death'))
  local rank = key and death and redis.call('ZRANK', mailbox, id)
  if not rank then return end
  local place = redis.call('ZSCORE', mailbox, id)
  while rank > 0 do
    local before = redis.call('ZRANGE', mailbox, rank - 1, rank - 1, 'WITHSCORES')
    local earlier = redis.call('HMGET', p .. before[1], 'callsheet:death', 'processedOn')
    if not earlier[1] or tonumber(earlier[1]) < death or rank == 1 and earlier[2] then return end
    redis.call('ZADD', mailbox, place, before[1], before[2], id)
    if rank == 1 then
      local waits = redis.call('ZREM', p .. 'prioritized', before[1]) + redis.call('LREM', p .. 'wait', 1, before[1])
      if waits > 0 then park(p, before[1], place) end
      return advance(p, key)
    end
    place, rank = before[2], rank - 1
  end
end
`;

/** `clock()`, the server's, ms: as a number and as a string, for commands, which print a number of that size slowly. */
export const CLOCK = `
local function clock()
  local time = redis.call('TIME')
  local now = string.format('%d%03d', time[1], time[2] / 1000)
  return tonumber(now), now
end
`;

/**
 * MAILBOX, whose functions are there once `mailbox()` was called: a script makes anew each time what it defines, and most turns of messages
 * without key need none of them.
 */
const MAILBOX_LATER = `
local ${[...MAILBOX.matchAll(/^local function (\w+)/gm)].map(([, name]) => name).join(', ')}
local function mailbox()
${MAILBOX.replaceAll(/^local function/gm, 'function')}
end
`;

/**
 * The next job, as BullMQ's moveToActive answers it, with the state of its key behind it: `fetch(KEYS, ARGV)` takes those of
 * moveToActive and the worst priority that is wanted, if not all are, `finish(KEYS, ARGV)` those of moveToFinished, and answers nil when no job is to be fetched. The time is the
 * server's. Delayed jobs are promoted here and not by BullMQ's scripts, which know nothing of mailboxes: moveToActive gets a
 * set of them that is always empty, moveToFinished does not look (ENDING). With MAILBOX, for whoever calls `mailbox()` first.
 */
export const FETCHING = `${CLOCK}${MAILBOX_LATER}
-- Messages that are due, at most 1,000: those between two attempts are the first of their key, others join its mailbox.
local function promoteDue(p, delayed, now)
  local first, last = redis.call('ZRANGE', delayed, '0', '0', 'WITHSCORES'), (now + 1) * 0x1000 - 1
  if not first[2] or tonumber(first[2]) > last then return false end
  mailbox()
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', delayed, '0', last, 'LIMIT', '0', '1000')) do
    redis.call('ZREM', delayed, id)
    local known = redis.call('HMGET', p .. id, 'callsheet:key', 'name', 'priority')
    local key, priority = known[1] or nil, known[3] or '0'
    if key and redis.call('ZSCORE', p .. 'mailbox:' .. key, id) then offer(p, id, 'delayed', priority, true)
    else arrive(p, id, key, known[2] or '', 'delayed', priority, true) end
    redis.call('HSET', p .. id, 'delay', '0')
  end
  wake(p)
  return true
end

local function answered(p, result, delayed, written)
  if type(result[1]) ~= 'table' then
    local next = redis.call('ZRANGE', delayed, '0', '0', 'WITHSCORES')
    if tonumber(result[3]) == 0 and next[2] then result[4] = math.floor(tonumber(next[2]) / 0x1000) end
    return result
  end
  local fields = result[1]
  for i = 1, #fields, 2 do
    if fields[i] == 'callsheet:key' then
      local state = written
      if not written or written.key ~= fields[i + 1] then
        state = redis.call('HMGET', p .. 'state:' .. fields[i + 1], 'revision', 'version', 'value')
      end
      result[5] = state[1] and state or 0
    end
  end
  return result
end

-- Who takes a job by BullMQ's scripts wakes another worker, if there is one more or not. By that the other learns when the next
-- is due, too: nobody needs that which is due later than a worker waits without asking, ten seconds at most.
local function calm(marker, wait, prioritized, delayed, now)
  if redis.call('EXISTS', wait, prioritized) > 0 then return end
  if redis.call('ZCOUNT', delayed, 0, (now + 10000) * 0x1000) == 0 then redis.call('ZREM', marker, '0') end
end

local function fetch(KEYS, ARGV)
  local p, delayed = ARGV[1], KEYS[7]
  local now, text = clock()
  ARGV[2], KEYS[7] = text, p .. 'none'
  promoteDue(p, delayed, now)
  if ARGV[4] and redis.call('LLEN', KEYS[1]) == 0 then
    local first = redis.call('ZRANGE', KEYS[3], 0, 0, 'WITHSCORES')
    if not first[2] or tonumber(first[2]) >= (ARGV[4] + 1) * 0x100000000 then
      -- Another worker may have turns for it.
      local isPaused = redis.call('HEXISTS', KEYS[9], 'paused') == 1
      if first[2] and not isPaused then redis.call('ZADD', KEYS[11], 0, '0') end
      return answered(p, { 0, 0, 0, 0 }, delayed)
    end
  end
  local result = moveToActive(KEYS, ARGV)
  calm(KEYS[11], KEYS[1], KEYS[3], delayed, now)
  return answered(p, result, delayed)
end

local function finish(KEYS, ARGV)
  local p = ARGV[7]
  local now, text = clock()
  ARGV[2] = text
  if ARGV[6] == '1' and promoteDue(p, KEYS[7], now) then ARGV.isWaking = true end
  local result = moveToFinished(KEYS, ARGV)
  if ARGV[6] ~= '1' then return nil end
  if type(result) ~= 'table' then result = { 0, 0, 0, 0 } end
  if ARGV.isWaking or type(result[1]) ~= 'table' then calm(KEYS[14], KEYS[1], KEYS[3], KEYS[7], now) end
  return answered(p, result, KEYS[7], ARGV.written)
end
`;
