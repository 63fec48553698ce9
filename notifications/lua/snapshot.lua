-- Everything a worker needs to begin, in one step: where the log is, what is active, and the newest entries.
--
-- Begins the log where there is none, so that a cursor given out before the first announcement means something.
--
-- Keys: see commit.lua
-- KEYS  1 head  2 state  3 log  4 active
-- ARGV  1 epoch   a random one, in case the log begins now
--       2 recent  how many entries at most, the newest first
-- Returns {now (ms), epoch, version, chain, {payload, ...}, {{entry id, {field, value, ...}}, ...}}

local head, state, log, active = unpack(KEYS)

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local at = redis.call('HMGET', head, 'epoch', 'version', 'chain')
if not at[1] then
  at = {ARGV[1], '0', redis.sha1hex(ARGV[1])}
  redis.call('DEL', log)
  redis.call('HSET', head, 'epoch', at[1], 'version', at[2], 'chain', at[3])
end

local payloads = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', active, '(' .. string.format('%.0f', now), '+inf')) do
  local payload = redis.call('HGET', state, id)
  if payload then
    payloads[#payloads + 1] = payload
  end
end

return {now, at[1], at[2], at[3], payloads, redis.call('XREVRANGE', log, '+', '-', 'COUNT', ARGV[2])}
