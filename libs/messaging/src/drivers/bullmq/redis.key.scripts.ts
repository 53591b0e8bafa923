import { composeScript } from './bullmq.package.js';
import { DRAINING, MAILBOX } from './redis.mailbox.js';

/**
 * A failed attempt that stops its key: the message is parked at the head of its mailbox.
 *
 * KEYS     those of moveToDelayed ([2] active, [4] delayed, [5] the job)
 * ARGV     1..9 those of moveToDelayed ([1] key prefix, [3] id), [10] key, [11] what to remember (JSON)
 * returns  0; 1 when the message stands in no mailbox, or a negative code of moveToDelayed: then nothing changed
 */
export const QUARANTINE = (): string =>
  composeScript(
    ['moveToDelayed'],
    `${DRAINING}${MAILBOX}
local p, id, key = ARGV[1], ARGV[3], ARGV[10]
local arrival = redis.call('ZSCORE', p .. 'mailbox:' .. key, id)
if not arrival then return 1 end
local result = moveToDelayed(KEYS, ARGV)
if result ~= 0 then return result end
redis.call('ZREM', KEYS[4], id)
redis.call('HSET', KEYS[5], 'delay', 0)
park(p, id, arrival)
redis.call('HSET', p .. 'quarantine', key, ARGV[11])
return 0
`,
  );

/**
 * Lets a quarantined key go on.
 *
 * KEYS[1]  key prefix of the queue
 * ARGV[1]  key
 * returns  1, or 0 when it is not quarantined
 */
export const RELEASE = (): string => `${DRAINING}${MAILBOX}
local p, key = KEYS[1], ARGV[1]
if redis.call('HDEL', p .. 'quarantine', key) == 0 then return 0 end
advance(p, key)
return 1
`;

/**
 * Keys that are quarantined.
 *
 * KEYS[1]  key prefix of the queue
 * returns  key, what is remembered (JSON), depth of its mailbox; and so on
 */
export const QUARANTINED = (): string => `
local found = redis.call('HGETALL', KEYS[1] .. 'quarantine')
local answer = {}
for i = 1, #found, 2 do
  answer[#answer + 1] = found[i]
  answer[#answer + 1] = found[i + 1]
  answer[#answer + 1] = redis.call('ZCARD', KEYS[1] .. 'mailbox:' .. found[i])
end
return answer
`;

/**
 * Keys with messages, or one. By depth it looks at the ten thousand whose first message has stood there longest.
 *
 * KEYS[1]  key prefix of the queue
 * ARGV[1]  'age', 'depth' or 'key', [2] how many at most, [3] the key, if one is asked for
 * returns  key, depth, time of its first message, 1 if it is quarantined; and so on
 */
export const MAILBOXES = (): string => `${MAILBOX}
local p, limit = KEYS[1], tonumber(ARGV[2])
local found = {}
local last = ARGV[1] == 'depth' and 9999 or limit - 1
local keys = ARGV[1] == 'key' and { ARGV[3] } or redis.call('ZRANGE', p .. 'mailboxes', 0, last)
for place, key in ipairs(keys) do
  local depth = redis.call('ZCARD', p .. 'mailbox:' .. key)
  if depth > 0 then found[#found + 1] = { key = key, place = place, depth = depth } end
end
if ARGV[1] == 'depth' then
  table.sort(found, function(a, b) return a.depth > b.depth or (a.depth == b.depth and a.place < b.place) end)
end
local answer = {}
for i = 1, math.min(limit, #found) do
  local key = found[i].key
  local first = redis.call('ZRANGE', p .. 'mailbox:' .. key, 0, 0)[1]
  local job = first and redis.call('HMGET', p .. first, 'opts', 'timestamp') or {}
  local own = job[1] and cjson.decode(job[1]).callsheet or {}
  local since = string.format('%.0f', own.dueAt or job[2] or 0)
  for _, value in ipairs({ key, found[i].depth, since, isQuarantined(p, key) and 1 or 0 }) do
    answer[#answer + 1] = value
  end
end
return answer
`;

/**
 * How many stand before messages in the mailboxes of their keys.
 *
 * KEYS[1]  key prefix of the queue
 * ARGV     key, id; and so on
 * returns  id, how many stand before it; and so on, without those that stand in no mailbox
 */
export const STANDING = (): string => `
local answer = {}
for i = 1, #ARGV, 2 do
  local before = redis.call('ZRANK', KEYS[1] .. 'mailbox:' .. ARGV[i], ARGV[i + 1])
  if before then
    answer[#answer + 1] = ARGV[i + 1]
    answer[#answer + 1] = before
  end
end
return answer
`;

/** After how many bytes of states a page of them ends early, so that it does not hold up the server. */
const PAGE_BYTES = 1024 * 1024;

/**
 * Keys that have a state, with it.
 *
 * KEYS[1]  key prefix of the queue
 * ARGV[1]  the key after which to begin, or '', [2] how many at most
 * returns  the key after which to go on, '' when there are no more, then key, revision, version, value; and so on
 */
export const STATES = (): string => `
local p, most = KEYS[1], tonumber(ARGV[2])
local from = ARGV[1] == '' and '-' or '(' .. ARGV[1]
local answer, size = { '' }, 0
for place, key in ipairs(redis.call('ZRANGEBYLEX', p .. 'states', from, '+', 'LIMIT', 0, most)) do
  local state = redis.call('HMGET', p .. 'state:' .. key, 'revision', 'version', 'value')
  if state[1] then
    size = size + #state[3]
    for _, value in ipairs({ key, state[1], state[2], state[3] }) do answer[#answer + 1] = value end
  end
  if place == most or size >= ${PAGE_BYTES} then
    answer[1] = key
    break
  end
end
return answer
`;

/**
 * Rows of the journal of a key, newest first.
 *
 * KEYS[1]  key prefix of the queue
 * ARGV[1]  key, [2] id of the row before which to begin, or '', [3] how many at most
 * returns  { id, { 'row', JSON } } of each
 */
export const JOURNAL = (): string => `
local before = ARGV[2] == '' and '+' or '(' .. ARGV[2]
return redis.call('XREVRANGE', KEYS[1] .. 'journal:' .. ARGV[1], before, '-', 'COUNT', ARGV[3])
`;

/**
 * Declares which types only read, and how many messages may wait per key. What waits already and only reads leaves its
 * mailbox; what waits and no longer only reads comes into it.
 *
 * KEYS[1]  key prefix of the queue
 * ARGV[1]  the most that wait, 'Infinity' for any number, or '' to leave that as it is, [2] '1' when types follow, [3..] types
 * returns  how many messages left a mailbox or came into one
 */
export const EMPLOY = (): string => `${DRAINING}${MAILBOX}
local p, traits = KEYS[1], KEYS[1] .. 'traits'
if ARGV[1] == 'Infinity' then redis.call('HDEL', traits, 'mailbox')
elseif ARGV[1] ~= '' then redis.call('HSET', traits, 'mailbox', ARGV[1]) end
if ARGV[2] ~= '1' then return 0 end
local reads, isNew, dropped = {}, false, nil
for i = 3, #ARGV do
  reads['read ' .. ARGV[i]] = true
  if redis.call('HSET', traits, 'read ' .. ARGV[i], 1) == 1 then isNew = true end
end
for _, field in ipairs(redis.call('HKEYS', traits)) do
  if string.sub(field, 1, 5) == 'read ' and not reads[field] then
    redis.call('HDEL', traits, field)
    dropped = dropped or {}
    dropped[string.sub(field, 6)] = true
  end
end
local left = 0
-- Messages have a priority, so they all wait there.
for _, id in ipairs(dropped and redis.call('ZRANGE', p .. 'prioritized', 0, -1) or {}) do
  local job = redis.call('HMGET', p .. id, 'callsheet:key', 'name')
  if job[1] and dropped[job[2]] and not redis.call('ZSCORE', p .. 'mailbox:' .. job[1], id) then
    redis.call('ZREM', p .. 'prioritized', id)
    arrive(p, id, job[1], job[2], 'waiting')
    left = left + 1
  end
end
for _, key in ipairs(isNew and redis.call('ZRANGE', p .. 'mailboxes', 0, -1) or {}) do
  for _, id in ipairs(redis.call('ZRANGE', p .. 'mailbox:' .. key, 0, -1)) do
    local name = redis.call('HGET', p .. id, 'name')
    if name and isRead(p, name) then
      local waited = redis.call('ZREM', p .. 'waiting-children', id) + redis.call('ZREM', p .. 'prioritized', id) +
        redis.call('LREM', p .. 'wait', 1, id)
      if waited > 0 then
        leave(p, id, key)
        offer(p, id, 'waiting-children')
        left = left + 1
      end
    end
  end
end
return left
`;
