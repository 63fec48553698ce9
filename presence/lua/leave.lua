-- Shortens the leases of readers whose last page was closed, so that they are counted for the grace and no longer.
--
-- Keys, all of one call under one hash tag:
--   <prefix>:presence:{<site>:<shard>}:site   ZSET, as in renew.lua
--
-- KEYS[1]  the ZSET
-- ARGV[1]  grace, ms
-- ARGV[2…] every name a lease may stand under now
--
-- Returns {now in ms, leases shortened}.
--
-- A lease is never given (XX) or lengthened (LT) here. Whoever still holds the reader renews it within the grace.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local expiry = string.format('%.0f', now + tonumber(ARGV[1]))
local write = {}
for at = 2, #ARGV do
  write[#write + 1] = expiry
  write[#write + 1] = ARGV[at]
end
return {now, redis.call('ZADD', KEYS[1], 'XX', 'LT', 'CH', unpack(write))}
