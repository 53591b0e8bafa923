import { MAILBOX } from './redis.mailbox.js';
import { INDEX } from './redis.terms.js';

/** The names of BullMQ's scripts that {@link SENDS} calls. */
export const ADDS = ['addPrioritizedJob', 'addDelayedJob', 'addParentJob', 'removeJob'];

/**
 * Storing messages, in two steps: `planned` looks whether all may be stored and changes nothing, `store` stores them. At
 * `at` in ARGV: how long ids are remembered (ms), number of messages, then for each
 * name of the BullMQ script that adds it, fingerprint ('' when the sender chose no id), storage id, key prefix of its queue,
 * key prefix of its dead letters, 'replace' or '', type, key or '', entries of the index or '', number of arguments, the script's KEYS and ARGV.
 *
 * `planned(args, at, remembered, own)` answers the plan, or nil and why not: { 1, place } when the id of the message at that
 * place (from 1) was used for another body, { 2, place } when what it is to replace is in work, { 5, place, max } when the
 * mailbox of its key is full. `own` is the key of the message whose turn sends, which is over by then. `ownReplaced` of the plan is `own` when a
 * message takes its place, `next` is the place behind the messages in ARGV. Needs MAILBOX.
 */
export const SENDING = `${INDEX}
local add = { addPrioritizedJob = addPrioritizedJob, addDelayedJob = addDelayedJob, addParentJob = addParentJob }

-- How many more messages may wait, or nil for any number. The first of a mailbox does not wait while it is in work.
local function roomIn(p, key, max)
  local mailbox = p .. 'mailbox:' .. key
  local first = redis.call('ZRANGE', mailbox, 0, 0)[1]
  local isActive = first and redis.call('LPOS', p .. 'active', first)
  return max - redis.call('ZCARD', mailbox) + (isActive and 1 or 0)
end

-- What is due later joins its mailbox then, full or not.
local function surplus(plan, own)
  local room = {}
  for _, entry in ipairs(plan) do
    if entry.key and entry.script ~= 'addDelayedJob' and not entry.isReplaced then
      local p = entry.live
      local traits = redis.call('HMGET', p .. 'traits', 'mailbox', 'read ' .. entry.type)
      local max, name = tonumber(traits[1] or nil), p .. 'mailbox:' .. entry.key
      if max and not traits[2] then
        local isFreed = entry.isReplacing and own ~= p .. entry.id and redis.call('ZSCORE', name, entry.id)
        room[name] = (room[name] or roomIn(p, entry.key, max)) - (isFreed and 0 or 1)
        if room[name] < 0 then return { 5, entry.place, max } end
      end
    end
  end
end

local function planned(args, at, remembered, own)
  local plan, byId = { window = args[at], remembered = remembered, args = args }, {}
  local total = tonumber(args[at + 1])
  at = at + 2
  for place = 1, total do
    local entry = {
      place = place, script = args[at], fingerprint = args[at + 1], id = args[at + 2], live = args[at + 3],
      dead = args[at + 4], isReplacing = args[at + 5] == 'replace', type = args[at + 6],
      key = args[at + 7] ~= '' and args[at + 7] or nil, entries = args[at + 8], count = tonumber(args[at + 9]), first = at + 10,
    }
    at = entry.first + entry.count
    local earlier, known = byId[entry.id], nil
    if entry.isReplacing then
      if own ~= entry.live .. entry.id and redis.call('LPOS', entry.live .. 'active', entry.id) then return nil, { 2, place } end
      if earlier then earlier.isReplaced = true end
      if own == entry.live .. entry.id then plan.ownReplaced = own end
    elseif entry.fingerprint ~= '' then
      known = (earlier and earlier.fingerprint) or redis.call('GET', remembered .. entry.id)
      if not known then
        local opts = redis.call('HGET', entry.live .. entry.id, 'opts') or redis.call('HGET', entry.dead .. entry.id, 'opts')
        if opts then known = (cjson.decode(opts).callsheet or {}).fingerprint or '' end
      end
      if known and known ~= entry.fingerprint then return nil, { 1, place } end
    else
      -- The client resends what it got no reply for; by then the message may be anywhere.
      known = redis.call('EXISTS', entry.live .. entry.id, entry.dead .. entry.id) > 0 or nil
    end
    if not known then
      plan[#plan + 1] = entry
      byId[entry.id] = entry
    end
  end
  plan.next = at
  local refusal = surplus(plan, own)
  if refusal then return nil, refusal end
  return plan
end

local function evict(p, id)
  local key = keyOf(p, id)
  removeJob({ p .. id, p .. 'repeat' }, { id, '0', p })
  leave(p, id, key)
end

local function store(plan)
  for _, entry in ipairs(plan) do
    if not entry.isReplaced then
      if entry.isReplacing then
        -- The end of a message that is replaced by its own turn leaves nothing of it.
        if plan.ownReplaced ~= entry.live .. entry.id then evict(entry.live, entry.id) end
        if redis.call('EXISTS', entry.dead .. entry.id) == 1 or redis.call('ZSCORE', entry.dead .. 'failed', entry.id) then
          evict(entry.dead, entry.id)
        end
      end
      if entry.fingerprint ~= '' then
        redis.call('SET', plan.remembered .. entry.id, entry.fingerprint, 'PX', plan.window)
      end
      local keys, args = {}, {}
      for i = 0, entry.count - 1 do
        local target = i < keyCount[entry.script] and keys or args
        target[#target + 1] = plan.args[entry.first + i]
      end
      add[entry.script](keys, args)
      index(entry.live, entry.entries)
      if entry.key then redis.call('HSET', entry.live .. entry.id, 'callsheet:key', entry.key) end
      if entry.script == 'addParentJob' then
        redis.call('ZREM', entry.live .. 'waiting-children', entry.id)
        arrive(entry.live, entry.id, entry.key, entry.type, 'waiting-children')
      end
    end
  end
end
`;

/** {@link SENDING}, with what it needs. */
export const SENDS = MAILBOX + SENDING;
