import { composeScript } from './bullmq.package.js';
import { DRAINING, FETCHING, MAILBOX } from './redis.mailbox.js';
import { HAND_BACK } from './redis.end.scripts.js';

/**
 * Takes the next job.
 *
 * KEYS     those of moveToActive
 * ARGV     those of moveToActive ([2] time: the server's is taken), then, to take none that is worse, a priority
 * returns  as FETCHING has it
 */
const TAKE = (): string =>
  composeScript(['moveToActive'], `${DRAINING}${FETCHING}\nreturn fetch(KEYS, ARGV)\n`);

/**
 * Mending, in pieces: `healed` has the keys that were. `mend` looks at one mailbox, `gather` at one parked message.
 */
const HEALING = `${DRAINING}${MAILBOX}
local healed, seen = {}, {}
local function mended(key)
  if not seen[key] then
    seen[key] = true
    healed[#healed + 1] = key
  end
end
local function isEnded(p, id)
  return redis.call('EXISTS', p .. id) == 0 or redis.call('ZSCORE', p .. 'completed', id) or redis.call('ZSCORE', p .. 'failed', id)
end
-- Where BullMQ will find it.
local function isPlaced(p, id)
  return redis.call('ZSCORE', p .. 'prioritized', id) or redis.call('ZSCORE', p .. 'delayed', id) or
    redis.call('LPOS', p .. 'active', id) or redis.call('LPOS', p .. 'wait', id)
end
local function mend(p, key)
  local mailbox, isMended = p .. 'mailbox:' .. key, false
  local first = redis.call('ZRANGE', mailbox, 0, 0)[1]
  while first and isEnded(p, first) do
    redis.call('ZREM', mailbox, first)
    first = redis.call('ZRANGE', mailbox, 0, 0)[1]
    isMended = true
  end
  local stands = first and not isQuarantined(p, key) and not isPlaced(p, first)
  if isMended or not first or stands then
    if stands or not first then advance(p, key) end
    mended(key)
  end
end
local function gather(p, id)
  local key = keyOf(p, id)
  if not key then return end
  if redis.call('ZSCORE', p .. 'mailbox:' .. key, id) then
    if redis.call('ZSCORE', p .. 'mailboxes', key) then return end
    local first = redis.call('ZRANGE', p .. 'mailbox:' .. key, 0, 0, 'WITHSCORES')
    redis.call('ZADD', p .. 'mailboxes', first[2], key)
    mend(p, key)
    return mended(key)
  end
  redis.call('ZREM', p .. 'waiting-children', id)
  arrive(p, id, key, redis.call('HGET', p .. id, 'name') or '', 'waiting-children')
  mended(key)
end
-- A runnable job that somebody added without us.
local function admit(p, id)
  local job = redis.call('HMGET', p .. id, 'callsheet:key', 'name', 'opts')
  local key = job[1]
  if not key and job[3] and string.find(job[3], '"callsheet"', 1, true) then
    local own = cjson.decode(job[3]).callsheet
    key = type(own) == 'table' and type(own.key) == 'string' and own.key
    if key then redis.call('HSET', p .. id, 'callsheet:key', key) end
  end
  if not key or isRead(p, job[2]) or redis.call('ZSCORE', p .. 'mailbox:' .. key, id) then return end
  if redis.call('ZREM', p .. 'prioritized', id) + redis.call('LREM', p .. 'wait', 1, id) == 0 then return end
  arrive(p, id, key, job[2], 'waiting')
  mended(key)
end
local function mendAll(p)
  for _, key in ipairs(redis.call('ZRANGE', p .. 'mailboxes', 0, -1)) do mend(p, key) end
end
`;

/**
 * Mends mailboxes, some at a time; and, the first time, those that will be taken next, in case they should wait for others.
 *
 * KEYS[1]  key prefix of the queue
 * ARGV[1]  how many mailboxes and parked messages have been looked at, [2] how many to look at
 * returns  { 1 if there are more, else 0, the keys that were mended }
 */
export const HEAL = (): string => `${HEALING}
local p, from = KEYS[1], tonumber(ARGV[1])
local to = from + tonumber(ARGV[2]) - 1
local keys = redis.call('ZRANGE', p .. 'mailboxes', from, to)
local parked = redis.call('ZRANGE', p .. 'waiting-children', from, to)
-- Nobody comes before those that are there, even if somebody lost count.
local last = redis.call('ZRANGE', p .. 'waiting-children', -1, -1, 'WITHSCORES')[2]
if last and tonumber(last) > tonumber(redis.call('GET', p .. 'arrivals') or 0) then redis.call('SET', p .. 'arrivals', last) end
for _, key in ipairs(keys) do mend(p, key) end
for _, id in ipairs(parked) do gather(p, id) end
if from == 0 then
  for _, id in ipairs(redis.call('ZRANGE', p .. 'prioritized', 0, to)) do admit(p, id) end
  for _, id in ipairs(redis.call('LRANGE', p .. 'wait', -1 - to, -1)) do admit(p, id) end
end
local isMore = math.max(#keys, #parked) == tonumber(ARGV[2])
return { isMore and 1 or 0, healed }
`;

/** Removes parked messages for good: BullMQ's scripts pass them over. */
const DROPPING = `
local function dropParked(p)
  for _, id in ipairs(redis.call('ZRANGE', p .. 'waiting-children', 0, -1)) do
    local key = keyOf(p, id)
    if key then
      redis.call('ZREM', p .. 'waiting-children', id)
      redis.call('ZREM', p .. 'mailbox:' .. key, id)
      redis.call('DEL', p .. id, p .. id .. ':logs')
    end
  end
end
`;

/**
 * A plain producer's job, with the key of a message among its options: a dashboard makes such ones of copies.
 * `enter(add, KEYS, ARGV)` takes the KEYS and ARGV of one of BullMQ's scripts that add a job.
 */
const ENTERING = `${MAILBOX}
local function enter(add, KEYS, ARGV)
  local args, own = cmsgpack.unpack(ARGV[1]), cmsgpack.unpack(ARGV[3]).callsheet
  local p, key = args[1], type(own) == 'table' and type(own.key) == 'string' and own.key
  if not key or args[2] ~= '' and redis.call('EXISTS', p .. args[2]) == 1 then return add(KEYS, ARGV) end
  local id = add(KEYS, ARGV)
  -- A refusal, or the job in whose stead this one is not stored.
  if type(id) == 'number' or keyOf(p, id) then return id end
  redis.call('HSET', p .. id, 'callsheet:key', key)
  if redis.call('ZREM', p .. 'prioritized', id) + redis.call('LREM', p .. 'wait', 1, id) > 0 then
    arrive(p, id, key, args[3], 'waiting')
  end
  return id
end
`;

const entering = (name: string) => (): string =>
  composeScript([name], `${ENTERING}\nreturn enter(${name}, KEYS, ARGV)\n`);

/** One of BullMQ's own, that a full server lets too. */
const draining = (name: string) => (): string =>
  composeScript([name], `${DRAINING}return ${name}(KEYS, ARGV)\n`);

/** What a worker that died had comes first among those of its priority; BullMQ puts it before all others. */
const STALLED = (): string =>
  composeScript(
    ['moveStalledJobsToWait'],
    `${DRAINING}
local stalled = moveStalledJobsToWait(KEYS, ARGV)
for _, id in ipairs(stalled) do
  local priority = tonumber(redis.call('HGET', ARGV[2] .. id, 'priority')) or 0
  if priority > 0 and redis.call('LREM', KEYS[2], -1, id) > 0 then
    redis.call('ZADD', ARGV[2] .. 'prioritized', priority * 0x100000000, id)
  end
end
return stalled
`,
  );

/** BullMQ's own commands that are ours instead, so that mailboxes are kept right and a full server is drained. Each takes and answers what BullMQ's does. */
export const OPERATIONS: Readonly<Record<string, () => string>> = {
  moveToActive: TAKE,
  moveJobFromActiveToWait: HAND_BACK,
  extendLock: draining('extendLock'),
  extendLocks: draining('extendLocks'),
  moveStalledJobsToWait: STALLED,
  updateJobScheduler: draining('updateJobScheduler'),
  addStandardJob: entering('addStandardJob'),
  addPrioritizedJob: entering('addPrioritizedJob'),
  addDelayedJob: entering('addDelayedJob'),

  removeJob: () =>
    composeScript(
      ['removeJob'],
      `${DRAINING}${MAILBOX}
local key = redis.call('HGET', KEYS[1], 'callsheet:key')
local result = removeJob(KEYS, ARGV)
if key and result == 1 then leave(ARGV[3], ARGV[1], key) end
return result
`,
    ),

  drain: () =>
    composeScript(
      ['drain'],
      `${HEALING}${DROPPING}
dropParked(ARGV[1])
local result = drain(KEYS, ARGV)
mendAll(ARGV[1])
return result
`,
    ),

  cleanJobsInSet: () =>
    composeScript(
      ['cleanJobsInSet'],
      `${HEALING}
local result = cleanJobsInSet(KEYS, ARGV)
mendAll(ARGV[1])
return result
`,
    ),

  // States and journals of keys stay: they are no messages.
  obliterate: () =>
    composeScript(
      ['obliterate'],
      `${HEALING}${DROPPING}
local p, result = KEYS[2], obliterate(KEYS, ARGV)
if result < 0 then return result end
dropParked(p)
mendAll(p)
if result == 0 then redis.call('DEL', p .. 'quarantine', p .. 'terms', p .. 'terms:at') end
return result
`,
    ),

  // Of what it finds under the prefix of the queue it takes for a job whatever BullMQ has no name for.
  removeOrphanedJobs: () =>
    composeScript(
      ['removeOrphanedJobs'],
      `${HEALING}
local ours, first = {}, 3 + ARGV[1] + ARGV[2 + ARGV[1]]
for _, name in ipairs({ 'mailbox', 'mailboxes', 'arrivals', 'quarantine', 'traits', 'state', 'states', 'journal', 'deaths', 'terms' }) do ours[name] = true end
for at = #ARGV, first, -1 do
  if ours[ARGV[at]] then table.remove(ARGV, at) end
end
local result = removeOrphanedJobs(KEYS, ARGV)
if result > 0 then mendAll(KEYS[1]) end
return result
`,
    ),

  promote: () =>
    composeScript(
      ['promote'],
      `${MAILBOX}
local p, id = ARGV[1], ARGV[2]
local key = keyOf(p, id)
if not key or redis.call('ZSCORE', p .. 'mailbox:' .. key, id) then return promote(KEYS, ARGV) end
if redis.call('ZREM', KEYS[1], id) == 0 then return -3 end
redis.call('HSET', p .. id, 'delay', 0)
arrive(p, id, key, redis.call('HGET', p .. id, 'name'), 'delayed')
return 0
`,
    ),

  moveJobsToWait: () =>
    composeScript(
      ['moveJobsToWait'],
      `${MAILBOX}
local p = KEYS[1]
local ids = redis.call('ZRANGEBYSCORE', KEYS[3], 0, ARGV[2], 'LIMIT', 0, ARGV[1])
local result = moveJobsToWait(KEYS, ARGV)
for _, id in ipairs(ids) do
  local key = keyOf(p, id)
  if key and not redis.call('ZSCORE', p .. 'mailbox:' .. key, id) then
    redis.call('LREM', KEYS[4], 1, id)
    arrive(p, id, key, redis.call('HGET', p .. id, 'name'), ARGV[3])
  end
end
return result
`,
    ),

  reprocessJob: () =>
    composeScript(
      ['reprocessJob'],
      `${MAILBOX}
local result = reprocessJob(KEYS, ARGV)
local id = ARGV[1]
local p = string.sub(KEYS[1], 1, -#id - 1)
local key = result == 1 and keyOf(p, id)
if key and redis.call('ZREM', KEYS[8], id) + redis.call('LREM', KEYS[4], 1, id) > 0 then
  arrive(p, id, key, redis.call('HGET', KEYS[1], 'name'), ARGV[4])
end
return result
`,
    ),
};
