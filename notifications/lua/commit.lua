-- Writes one revision of an announcement: its state and the log, in one step, at most once for an idempotency key.
--
-- Keys of the room, all under one hash tag so that a cluster keeps them on one node:
--   head    hash    epoch, version, chain: how far the log has got. `epoch` is drawn when the log begins and again
--                   only if the store has lost it; `chain` is a hash over everything written since, so two
--                   stores with the same chain hold the same history.
--   state   hash    id -> the newest revision, JSON
--   log     stream  one entry for each version, with the id `<version>-0`: payload (JSON), chain
--   active  zset    id -> when it expires (ms); what is live, so that a snapshot never grows with history
--   ids     zset    every id with score 0: in order of time, for paging
--   once    hash    for one idempotency key: fingerprint of the request, payload of the first answer; expires
--
-- KEYS  1 head  2 state  3 log  4 active  5 ids  6 once
-- ARGV  1 epoch       a random one, in case the log begins now
--       2 fingerprint of the request
--       3 keep_ms     how long the idempotency key is remembered
--       4 log_length  about how many entries the log keeps
--       5 most        how many may be active
--       6 id          of what is changed; '' to publish
--       7 tail        the random part of a new id
--       8 expected    the revision that is changed; 0 to publish
--       9 status      live | recalled
--      10 expires_in  ms from now; '' to leave it
--      11 again       '1': show it again to those who dismissed it
--      12 content     the members that the time does not decide, JSON without braces
--
-- Returns {'done', payload}    written
--         {'known', payload}   this request was carried out before; nothing written
--         {'reused'}           the idempotency key belongs to another request
--         {'moved'}            not at `expected`, or not live any more: look again
--         {'full'}             `most` are active
--
-- The time is the store's own, so that workers and machines need not agree on theirs. Everything is decided before
-- the first write, since a script that fails half way is not undone.

local head, state, log, active, ids, once = unpack(KEYS)
local epoch, fingerprint, keep_ms, log_length, most, id, tail, expected, status, expires_in, again, content =
  unpack(ARGV)

local DIGITS = '0123456789abcdefghjkmnpqrstvwxyz'

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local function whole(number)
  return string.format('%.0f', number)
end

-- 48 bits of milliseconds as ten characters: ids sort as they were made.
local function time_part()
  local characters, rest = {}, now
  for place = 10, 1, -1 do
    local digit = rest % 32
    characters[place] = string.sub(DIGITS, digit + 1, digit + 1)
    rest = (rest - digit) / 32
  end
  return table.concat(characters)
end

local known = redis.call('HMGET', once, 'fingerprint', 'payload')
if known[1] then
  if known[1] ~= fingerprint then
    return {'reused'}
  end
  return {'known', known[2]}
end

local revision = tonumber(expected) + 1
local published, expires, shown = now, nil, 1
if id == '' then
  if redis.call('ZCOUNT', active, '(' .. whole(now), '+inf') >= tonumber(most) then
    return {'full'}
  end
  id = time_part() .. tail
else
  local payload = redis.call('HGET', state, id)
  if not payload then
    return {'moved'}
  end
  local before = cjson.decode(payload)
  if before.revision ~= tonumber(expected) or before.status ~= 'live' or before.expires_ms <= now then
    return {'moved'}
  end
  published, expires, shown = before.published_ms, before.expires_ms, before.again
end
if expires_in ~= '' then
  expires = now + tonumber(expires_in)
end
if again == '1' then
  shown = revision
end

local at = redis.call('HMGET', head, 'epoch', 'version', 'chain')
local version, chain
if at[1] then
  epoch, version, chain = at[1], tonumber(at[2]) + 1, at[3]
else
  -- What a lost head has left behind belongs to no history any more.
  redis.call('DEL', log)
  version, chain = 1, redis.sha1hex(epoch)
end

local payload = '{"id":"' .. id .. '","revision":' .. whole(revision) .. ',"version":' .. whole(version)
  .. ',"status":"' .. status .. '","published_ms":' .. whole(published) .. ',"updated_ms":' .. whole(now)
  .. ',"expires_ms":' .. whole(expires) .. ',"again":' .. whole(shown) .. ',' .. content .. '}'
chain = redis.sha1hex(chain .. '|' .. id .. '|' .. whole(revision) .. '|' .. payload)

redis.call('XADD', log, 'MAXLEN', '~', log_length, whole(version) .. '-0', 'payload', payload, 'chain', chain)
redis.call('HSET', head, 'epoch', epoch, 'version', whole(version), 'chain', chain)
redis.call('HSET', state, id, payload)
redis.call('ZADD', ids, 0, id)
redis.call('ZREMRANGEBYSCORE', active, '-inf', whole(now))
if status == 'live' then
  redis.call('ZADD', active, whole(expires), id)
else
  redis.call('ZREM', active, id)
end
redis.call('HSET', once, 'fingerprint', fingerprint, 'payload', payload)
redis.call('PEXPIRE', once, keep_ms)
return {'done', payload}
