-- Writes one revision of an announcement, at most once for an idempotency key: its state, and the log if browsers are to
-- hear of it, in one step.
--
-- Keys of the room, all under one hash tag so that a cluster keeps them on one node:
--   head    hash    epoch, version, chain: how far the log has got. `epoch` is drawn when the log begins and again
--                   only if the store has lost it; `chain` is a hash over everything written since, so two
--                   stores with the same chain hold the same history.
--   state   hash    id -> the newest revision, JSON
--   log     stream  one entry for each version, with the id `version-0`: payload (JSON), chain
--   active  zset    id -> when it expires (ms); what is live, so that a snapshot never grows with history
--   ids     zset    every id with score 0: in order of time, for paging
--   due     zset    id -> when it is to go live (ms); what is scheduled
--   once    hash    for one idempotency key: fingerprint of the request, payload of the first answer; expires
--
-- and the audit trail, see audit.lua
--
-- KEYS  1 head  2 state  3 log  4 active  5 ids  6 due  7 once  8 audit  9 audit_head
-- ARGV  1 epoch       a random one, in case the log begins now
--       2 fingerprint of the request
--       3 keep_ms     how long the idempotency key is remembered
--       4 log_length  about how many entries the log keeps
--       5 most        how many may be active
--       6 id          of what is changed; '' for a new one
--       7 tail        the random part of a new id
--       8 expected    the revision that is changed; 0 for a new one
--       9 status      from now on; browsers are told of what is live or recalled
--      10 expires_in  ms from now, where it is live; '' to leave it, or where `ends` says so
--      11 ends        when it expires (ms), where it is live; '' if `expires_in` says so
--      12 again       '1': show it again to those who dismissed it
--      13 starts      when it goes live by itself, or was to (ms); '0' if it does not
--      14 by_itself   '1': it goes live by itself now, and it is written down how late
--      15 content     the members that the time does not decide, JSON without braces
--      16 deed        who does what, for the audit trail, JSON without braces
--
-- Returns {'done', payload}    written
--         {'known', payload}   this request was carried out before; nothing written
--         {'reused'}           the idempotency key belongs to another request
--         {'moved'}            not at `expected`, or not live any more: look again
--         {'full'}             `most` are active
--         {'over'}             it would have expired already
--
-- The time is the store's own, so that workers and machines need not agree on theirs. Everything is decided before
-- the first write, since a script that fails half way is not undone.

local head, state, log, active, ids, due, once, audit, audit_head = unpack(KEYS)
local epoch, fingerprint, keep_ms, log_length, most, id, tail, expected, status, expires_in, ends, again, starts,
  by_itself, content, deed = unpack(ARGV)

local DIGITS = '0123456789abcdefghjkmnpqrstvwxyz'

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local function whole(number)
  return string.format('%.0f', number)
end

-- 48 bits of milliseconds as ten characters.
local function time_part()
  local characters, rest = {}, now
  for place = 10, 1, -1 do
    local digit = rest % 32
    characters[place] = string.sub(DIGITS, digit + 1, digit + 1)
    rest = (rest - digit) / 32
  end
  return table.concat(characters)
end

-- The id that follows `one` at once.
local function after(one)
  for place = #one, 1, -1 do
    local digit = string.find(DIGITS, string.sub(one, place, place), 1, true) % 32
    one = string.sub(one, 1, place - 1) .. string.sub(DIGITS, digit + 1, digit + 1) .. string.sub(one, place + 1)
    if digit > 0 then
      return one
    end
  end
  return one
end

-- Ids sort as they were made, also within a millisecond and after the clock was set back.
local function new_id()
  local one = time_part() .. tail
  local newest = redis.call('ZREVRANGEBYLEX', ids, '+', '[' .. one, 'LIMIT', 0, 1)[1]
  return newest and after(newest) or one
end

local known = redis.call('HMGET', once, 'fingerprint', 'payload')
if known[1] then
  if known[1] ~= fingerprint then
    return {'reused'}
  end
  return {'known', known[2]}
end

local revision = tonumber(expected) + 1
local published, expires, shown, version, was = 0, 0, revision, 0, 'null'
local was_live = false
if id == '' then
  id = new_id()
else
  local payload = redis.call('HGET', state, id)
  if not payload then
    return {'moved'}
  end
  local before = cjson.decode(payload)
  was_live = before.status == 'live'
  if before.revision ~= tonumber(expected) or (was_live and before.expires_ms <= now) then
    return {'moved'}
  end
  published, expires, shown, version, was = before.published_ms, before.expires_ms, before.again, before.version, payload
end
local live = status == 'live'
local told = live or status == 'recalled'
if live then
  if expires_in ~= '' then
    expires = now + tonumber(expires_in)
  elseif ends ~= '' then
    expires = tonumber(ends)
  end
  if expires <= now then
    return {'over'}
  end
end
if live and not was_live then
  if redis.call('ZCOUNT', active, '(' .. whole(now), '+inf') >= tonumber(most) then
    return {'full'}
  end
  published = now
end
if again == '1' or (live and not was_live) then
  shown = revision
end
local late = ''
if by_itself == '1' then
  late = ',"late_ms":' .. whole(math.max(0, now - tonumber(starts)))
end

local chain
if told then
  local at = redis.call('HMGET', head, 'epoch', 'version', 'chain')
  if at[1] then
    epoch, version, chain = at[1], tonumber(at[2]) + 1, at[3]
  else
    -- What a lost head has left behind belongs to no history any more.
    redis.call('DEL', log)
    version, chain = 1, redis.sha1hex(epoch)
  end
end

local payload = '{"id":"' .. id .. '","revision":' .. whole(revision) .. ',"version":' .. whole(version)
  .. ',"status":"' .. status .. '","published_ms":' .. whole(published) .. ',"updated_ms":' .. whole(now)
  .. ',"expires_ms":' .. whole(expires) .. ',"again":' .. whole(shown) .. late .. ',' .. content .. '}'

record(audit, audit_head, now, deed .. ',"id":"' .. id .. '","revision":' .. whole(revision)
  .. ',"before":' .. was .. ',"after":' .. payload)
if told then
  chain = redis.sha1hex(chain .. '|' .. id .. '|' .. whole(revision) .. '|' .. payload)
  redis.call('XADD', log, 'MAXLEN', '~', log_length, whole(version) .. '-0', 'payload', payload, 'chain', chain)
  redis.call('HSET', head, 'epoch', epoch, 'version', whole(version), 'chain', chain)
end
redis.call('HSET', state, id, payload)
redis.call('ZADD', ids, 0, id)
redis.call('ZREMRANGEBYSCORE', active, '-inf', whole(now))
if live then
  redis.call('ZADD', active, whole(expires), id)
else
  redis.call('ZREM', active, id)
end
if status == 'scheduled' then
  redis.call('ZADD', due, starts, id)
else
  redis.call('ZREM', due, id)
end
redis.call('HSET', once, 'fingerprint', fingerprint, 'payload', payload)
redis.call('PEXPIRE', once, keep_ms)
return {'done', payload}
