import { composeScript, type Altered } from './bullmq.package.js';
import { CLOCK, DRAINING, FETCHING } from './redis.mailbox.js';
import { TRANSFER } from './redis.scripts.js';
import { ADDS, SENDING, SENDS } from './redis.sends.js';

/** The Lua function `finishKeys(p, id)`, made of the KEYS of moveToFinished for a job: fourteen that need not be sent each time (0010). */
export function finishKeysLike(keys: readonly string[], prefix: string): string {
  const names = keys.map((key, at) => {
    if (UNUSED.includes(at)) return "''";
    return at === FINISHED_JOB ? 'p .. id' : `p .. '${key.slice(prefix.length)}'`;
  });
  return `local function finishKeys(p, id) return { ${names.join(', ')} } end\n`;
}

/** Where the job stands among the KEYS of moveToFinished, from 0. */
const FINISHED_JOB = 11;
/** The list of those that are paused, which BullMQ hands on and reads no longer, and its metrics, of which no worker keeps any. */
const UNUSED = [7, 12];

/**
 * BullMQ's script without what is done before it, and does not do twice: asking whether this worker holds the message, and whether that
 * waits for others (`lost`), promoting what is due (`finish`). It trims the stream of events when it looks for messages that are too old, not each time.
 * COMPLETE gives it, in ARGV: `opts`, what BullMQ unpacks; `isTaken` when the message has left those in work; `isWaking` when another worker is woken
 * with the next message, which it always is where the queue limits how many are in work: then what is sent wakes nobody. And FETCHING `written`: the
 * state of its key.
 */
const ENDING: Altered = {
  name: 'moveToFinished',
  changes: [
    // Redis prints a number that is no string with seventeen digits.
    ['rcall("HINCRBY", jobIdKey, "atm", 1)', 'rcall("HINCRBY", jobIdKey, "atm", "1")'],
    ['rcall("HINCRBY", jobKey, "ats", 1)', 'rcall("HINCRBY", jobKey, "ats", "1")'],
    [
      'rcall("LREM", KEYS[2], -1, jobId)',
      'ARGV.isTaken and 1 or rcall("LREM", KEYS[2], "-1", jobId)',
    ],
    ['rcall("ZADD", markerKey, 0, "0")', 'rcall("ZADD", markerKey, "0", "0")'],
    [
      'addBaseMarkerIfNeeded(markerKey, false)',
      'if ARGV.isWaking then addBaseMarkerIfNeeded(markerKey, false) end',
    ],
    ['cmsgpack.unpack(ARGV[8])', 'ARGV.opts'],
    [
      'if activeCount >= tonumber(queueAttributes[2]) then',
      'ARGV.isWaking = true\n      if activeCount >= tonumber(queueAttributes[2]) then',
    ],
    ['rcall("EXISTS", jobIdKey) == 1', 'true'],
    ['rcall("SCARD", jobIdKey .. ":dependencies") ~= 0', 'false'],
    ['rcall("ZCARD", jobIdKey .. ":unsuccessful") ~= 0', 'false'],
    ['rcall("GET", lockKey)', 'token'],
    [
      `promoteDelayedJobs(delayedKey, markerKey, waitKey, prioritizedKey,
        eventStreamKey, prefix, timestamp, pcKey, isPausedOrMaxed)
    local maxJobs`,
      'local maxJobs',
    ],
    [
      '    trimEvents(metaKey, eventStreamKey)\n',
      '    if maxAge then trimEvents(metaKey, eventStreamKey) end\n',
    ],
  ],
};

/**
 * Ends a message well, with what its turn leaves. Made with {@link finishKeysLike}, as BURY is.
 *
 * KEYS[1]  key prefix of its queue, [2] prefix of the remembered ids
 * ARGV     1..9 those of moveToFinished ([1] id, [4] reply, [6] '1' to fetch the next job, '2' to wake a worker with it, [7] key
 *          prefix of its queue, [8] how long the lock of the next job lasts, ms), [10] channel of the asker's inbox or '', [11] public
 *          id, [12] key or '', [13] revision of the state that the turn began with, [14] version and [15] value (JSON) of the new
 *          one, '' twice to remove the state and the journal of the key, or '' thrice, [16] lock token, [17] { keepJobs, limiter } as
 *          BullMQ has them (JSON) or '', then as SENDS has them, then, if there are any, how many rows of the journal are kept and
 *          those that are added (JSON)
 * returns  { 0 }, or { 0, job } as FETCHING has it; or a refusal as SENDS has it, { 4 } when the revision is another one, or
 *          { 3, code } with a negative code of moveToFinished: then nothing changed
 */
export const COMPLETE = (finishKeys: string): string =>
  composeScript(
    [...ADDS, ENDING, 'moveToActive'],
    `${finishKeys}${FETCHING}
-- Why this worker may not end the message, as a code of moveToFinished, or nil. A client that got no reply sends this again:
-- then the message has ended.
local function lost(job, token)
  local holder, present = redis.call('GET', job .. ':lock'), redis.call('EXISTS', job, job .. ':dependencies', job .. ':unsuccessful')
  if present == 0 then return -1 end
  if holder ~= token then return holder and -6 or -2 end
  if present > 1 then return -4 end
end

-- Whether it is in work. Takes it out of there, if nothing else can be refused.
local function isInWork(active, id, isLast)
  if not isLast then return redis.call('LPOS', active, id, 'RANK', '-1') end
  ARGV.isTaken = redis.call('LREM', active, '-1', id) == 1
  return ARGV.isTaken
end

-- What BullMQ unpacks.
local function options()
  local own = ARGV[17] ~= '' and cjson.decode(ARGV[17]) or {}
  return {
    token = ARGV[16], lockDuration = ARGV[8], maxMetricsSize = '', keepJobs = own.keepJobs or { count = -1 }, limiter = own.limiter,
  }
end

-- The KEYS of moveToActive: the first of moveToFinished, and the marker.
local function fetchKeys(keys)
  local first = { unpack(keys, 1, keyCount.moveToActive - 1) }
  first[keyCount.moveToActive] = keys[#keys]
  return first
end

local id, p, key = ARGV[1], ARGV[7], ARGV[12] ~= '' and ARGV[12] or nil
local keys, opts = finishKeys(p, id), options()
local code = lost(keys[${FINISHED_JOB + 1}], ARGV[16])
if code then return { 3, code } end
local state, hasSends = key and ARGV[13] ~= '' and p .. 'state:' .. key, ARGV[19] ~= '0'
if state and (redis.call('HGET', state, 'revision') or '0') ~= ARGV[13] then return { 4 } end
if not isInWork(keys[2], id, not hasSends) then return { 3, -3 } end
-- What a script defines it makes anew each time: what sends, only if there is something to send.
if key or hasSends then mailbox() end
local plan, refusal, keep = { next = 20 }
if hasSends then
${SENDING}
  plan, refusal = planned(ARGV, 18, KEYS[2], p .. id)
  keep = store
end
if not plan then return refusal end

-- From here on nothing is refused. What this sets free may be fetched next, so it comes before the end of the message; but
-- another in its own place comes after. What leaves a mailbox deletes first, and so does the end of what is in none.
if #plan > 0 and (not key or plan.ownReplaced) then ${DRAINING} end
local isFetching = ARGV[6] ~= '0'
ARGV.opts, ARGV.isWaking = opts, ARGV[6] == '2'
ARGV[6] = isFetching and not plan.ownReplaced and '1' or '0'
if plan.ownReplaced then opts.keepJobs = { count = 0 } end
for _, entry in ipairs(plan) do
  -- What wakes a worker for it, this end may have to take back: it may fetch that message itself.
  if entry.live == p then ARGV.isWaking = true end
end
-- The end takes one when it fetches: nobody is woken then.
local isOffered = key and not plan.ownReplaced and leave(p, id, key, isFetching)
if state and ARGV[14] == '' then
  redis.call('DEL', state, p .. 'journal:' .. key)
  redis.call('ZREM', p .. 'states', key)
elseif state then
  ARGV.written = { key = key, string.format('%.0f', ARGV[13] + 1), ARGV[14], ARGV[15] }
  redis.call('HSET', state, 'revision', ARGV.written[1], 'version', ARGV[14], 'value', ARGV[15])
  if ARGV[13] == '0' then redis.call('ZADD', p .. 'states', 0, key) end
end
for at = plan.next + 1, #ARGV do
  redis.call('XADD', p .. 'journal:' .. key, 'MAXLEN', ARGV[plan.next], '*', 'row', ARGV[at])
end
if keep and not plan.ownReplaced then keep(plan) end
-- The stream of events keeps ten thousand of them: a large reply is not told there.
local value = ARGV[4]
if #value > 1024 then ARGV[4] = 'null' end
local next = finish(keys, ARGV)
-- It may not be kept at all.
if #value > 1024 and redis.call('EXISTS', p .. id) == 1 then redis.call('HSET', p .. id, 'returnvalue', value) end
if plan.ownReplaced then
  if key then leave(p, id, key) end
  keep(plan)
  if isFetching then next = fetch(fetchKeys(keys), { p, '', cmsgpack.pack(opts) }) end
end
if isOffered and isFetching and not (next and type(next[1]) == 'table') then wake(p) end
if ARGV[10] ~= '' then redis.call('PUBLISH', ARGV[10], ARGV[11]) end
return { 0, next }
`,
  );

/**
 * Gives a message up: it leaves its queue as failed and becomes a dead letter, in one step with messages that tell of it.
 *
 * KEYS     as COMPLETE
 * ARGV     1..9 those of moveToFinished ([1] id, [2] time, [4] reason, [7] key prefix of its queue), [10] channel of the
 *          asker's inbox or '', [11] public id, [12] key or '', [13] key prefix of the dead letters, then as SENDS has them
 * returns  as COMPLETE
 */
export const BURY = (finishKeys: string): string =>
  composeScript(
    [...ADDS, 'moveToFinished'],
    `${finishKeys}${DRAINING}${SENDS}${TRANSFER}
local id, live, key, dead = ARGV[1], ARGV[7], ARGV[12] ~= '' and ARGV[12] or nil, ARGV[13]
local plan, refusal = planned(ARGV, 14, KEYS[2], live .. id)
if not plan then return refusal end
local result = moveToFinished(finishKeys(live, id), ARGV)
if type(result) == 'number' and result < 0 then return { 3, result } end
redis.call('ZREM', live .. 'failed', id)
transfer(live, dead, id)
redis.call('ZADD', dead .. 'failed', ARGV[2], id)
redis.call('XADD', dead .. 'events', 'MAXLEN', '~', 10000, '*', 'event', 'failed', 'jobId', id, 'failedReason', ARGV[4], 'prev', 'active')
if key then
  redis.call('HSET', dead .. id, 'callsheet:death', redis.call('INCR', live .. 'deaths'))
  leave(live, id, key)
end
store(plan)
if ARGV[10] ~= '' then redis.call('PUBLISH', ARGV[10], ARGV[11]) end
return { 0 }
`,
  );

/**
 * A message is due again later: sooner if it was cancelled while it was in work, because then it only has to be told so.
 *
 * KEYS     those of moveToDelayed ([5] the job)
 * ARGV     those of moveToDelayed ([2] time, here the server's; [5] delay, ms)
 * returns  what moveToDelayed returns
 */
export const POSTPONE = (): string =>
  composeScript(
    ['moveToDelayed'],
    `${DRAINING}${CLOCK}
ARGV[2] = select(2, clock())
local opts = redis.call('HGET', KEYS[5], 'opts') or '{}'
if cjson.decode(opts).callsheetCancelled then ARGV[5] = '1' end
local result = moveToDelayed(KEYS, ARGV)
-- Without an attempt: as if it had not been given out.
if ARGV[6] == '1' and result == 0 then redis.call('HINCRBY', KEYS[5], 'ats', -1) end
return result
`,
  );

/**
 * Changes what a job in work remembers.
 *
 * KEYS[1]  the job, [2] its lock
 * ARGV[1]  lock token, [2] new progress (JSON)
 * returns  1, or 0 when the token does not hold the lock
 */
export const NOTE_PROGRESS = (): string => `${DRAINING}
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'progress', ARGV[2])
return 1
`;

/**
 * Hands a message back at once. BullMQ wakes nobody for one with a priority: an idle worker would find it seconds later.
 *
 * KEYS     those of moveJobFromActiveToWait ([8] the marker that wakes workers)
 * ARGV     those of moveJobFromActiveToWait
 * returns  what moveJobFromActiveToWait returns
 */
export const HAND_BACK = (): string =>
  composeScript(
    ['moveJobFromActiveToWait'],
    `${DRAINING}
local result = moveJobFromActiveToWait(KEYS, ARGV)
if result >= 0 then redis.call('ZADD', KEYS[8], 0, '0') end
return result
`,
  );
