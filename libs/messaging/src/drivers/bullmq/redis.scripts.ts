import { composeScript } from './bullmq.package.js';

/** A job's records move from one queue to the other. */
const TRANSFER = `
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
 * ARGV[1]  how long ids are remembered, ms
 * ARGV[2]  number of messages, then for each
 *          name of the BullMQ script that adds it, fingerprint ('' when the sender chose no id), storage id,
 *          key prefix of its queue, key prefix of its dead letters, number of arguments, the script's KEYS and ARGV
 * returns  0, or the place (from 1) of the first message whose id was used for another body: then nothing is stored
 */
export const SEND = (): string =>
  composeScript(
    ['addPrioritizedJob', 'addDelayedJob'],
    `
local add = { addPrioritizedJob = addPrioritizedJob, addDelayedJob = addDelayedJob }
local fresh, seen, at = {}, {}, 3
for place = 1, tonumber(ARGV[2]) do
  local entry = { script = ARGV[at], fingerprint = ARGV[at + 1], id = ARGV[at + 2], first = at + 6, count = tonumber(ARGV[at + 5]) }
  local live, dead = ARGV[at + 3], ARGV[at + 4]
  at = entry.first + entry.count
  local known
  if entry.fingerprint ~= '' then
    known = seen[entry.id] or redis.call('GET', KEYS[1] .. entry.id)
    if not known then
      local opts = redis.call('HGET', live .. entry.id, 'opts') or redis.call('HGET', dead .. entry.id, 'opts')
      if opts then known = (cjson.decode(opts).callsheet or {}).fingerprint or '' end
    end
    if known and known ~= entry.fingerprint then return place end
    seen[entry.id] = entry.fingerprint
  else
    -- The client resends what it got no reply for; by then the message may be dead. BullMQ itself knows those in its queue.
    known = redis.call('EXISTS', dead .. entry.id) == 1
  end
  if not known then fresh[#fresh + 1] = entry end
end
for _, entry in ipairs(fresh) do
  if entry.fingerprint ~= '' then
    redis.call('SET', KEYS[1] .. entry.id, entry.fingerprint, 'PX', ARGV[1])
  end
end
for _, entry in ipairs(fresh) do
  local keys, args = {}, {}
  for i = 0, entry.count - 1 do
    local target = i < keyCount[entry.script] and keys or args
    target[#target + 1] = ARGV[entry.first + i]
  end
  add[entry.script](keys, args)
end
return 0
`,
  );

/**
 * Gives a message up: it leaves its queue as failed and becomes a dead letter, in one step.
 *
 * KEYS     those of moveToFinished
 * ARGV     those of moveToFinished (1..9: [1] id, [2] time, [4] reason, [7] key prefix of its queue),
 *          [10] key prefix of the dead letters
 * returns  0, or the negative code of moveToFinished: then nothing changed
 */
export const BURY = (): string =>
  composeScript(
    ['moveToFinished'],
    `${TRANSFER}
local result = moveToFinished(KEYS, ARGV)
if type(result) == 'number' and result < 0 then return result end
local id, live, dead = ARGV[1], ARGV[7], ARGV[10]
redis.call('ZREM', live .. 'failed', id)
transfer(live, dead, id)
redis.call('ZADD', dead .. 'failed', ARGV[2], id)
redis.call('XADD', dead .. 'events', 'MAXLEN', '~', 10000, '*', 'event', 'failed', 'jobId', id, 'failedReason', ARGV[4], 'prev', 'active')
return 0
`,
  );

/**
 * Puts a dead letter back into its actor's queue.
 *
 * KEYS     those of reprocessJob, for the actor's queue
 * ARGV     those of reprocessJob (1..6: [1] id), [7] key prefix of the actor's queue, [8] key prefix of the dead letters,
 *          [9] new progress (JSON)
 * returns  1, or -3 when there is no such dead letter
 */
export const REDRIVE = (): string =>
  composeScript(
    ['reprocessJob'],
    `${TRANSFER}
local id, live, dead = ARGV[1], ARGV[7], ARGV[8]
if redis.call('ZREM', dead .. 'failed', id) == 0 then return -3 end
transfer(dead, live, id)
redis.call('HSET', live .. id, 'progress', ARGV[9])
redis.call('HDEL', live .. id, 'stc', 'stacktrace', 'defa')
redis.call('ZADD', live .. 'failed', 0, id)
return reprocessJob(KEYS, ARGV)
`,
  );

/**
 * Ids of dead letters, newest first, equal times by id.
 *
 * KEYS[1]  sorted set of the dead letters
 * ARGV[1]  time and [2] id of the place after which to begin; '+inf' and '' for the beginning
 * ARGV[3]  how many at most
 * returns  the ids
 */
export const DEAD_IDS = (): string => `
local found, offset, limit = {}, 0, tonumber(ARGV[3])
while #found < limit do
  local page = redis.call('ZREVRANGEBYSCORE', KEYS[1], ARGV[1], '-inf', 'WITHSCORES', 'LIMIT', offset, limit)
  if #page == 0 then break end
  for i = 1, #page, 2 do
    local isAfter = tonumber(page[i + 1]) ~= tonumber(ARGV[1]) or page[i] < ARGV[2]
    if isAfter and #found < limit then found[#found + 1] = page[i] end
  end
  offset = offset + limit
end
return found
`;
