-- Shortens leases that nobody holds any more, those of a run of the service that has ended.
--
-- Keys, all of one call under one hash tag:
--   <prefix>:presence:{<site>:<shard>}:reading, …:idle, …:background   ZSETs, as in renew.lua
--
-- KEYS[1]  one of the ZSETs
-- ARGV[1]  how long a lease may last from now, ms
-- ARGV[2]  most leases to shorten in one call
-- ARGV[3]  leases to skip: those shortened by earlier calls of the same round stand at this instant, ms; 0 for the first
--
-- Returns {now in ms, leases shortened, instant they now end at}; call again with that instant until none is left.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local latest = tonumber(ARGV[3])
if latest == 0 then
  latest = now + tonumber(ARGV[1])
end
local at = string.format('%.0f', latest)
local long = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. at, '+inf', 'LIMIT', 0, tonumber(ARGV[2]))
local write = {}
for _, name in ipairs(long) do
  write[#write + 1] = at
  write[#write + 1] = name
end
if #write > 0 then
  redis.call('ZADD', KEYS[1], 'XX', 'LT', unpack(write))
end
return {now, #long, latest}
