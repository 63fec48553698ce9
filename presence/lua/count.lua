-- Counts live leases and sweeps some of the lapsed.
--
-- Keys, all of one call under one hash tag:
--   <prefix>:presence:{<site>:<shard>}:site   ZSET, as in renew.lua
--
-- KEYS[1]  the ZSET
-- ARGV[1]  most lapsed leases to delete in one call
--
-- Returns {now in ms, live leases, lapsed leases deleted}.
--
-- The sweep is bounded so that no call holds the server: what is left over is not counted, and goes next time.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local at = string.format('%.0f', now)
local live = redis.call('ZCOUNT', KEYS[1], '(' .. at, '+inf')
local lapsed = math.min(redis.call('ZCARD', KEYS[1]) - live, tonumber(ARGV[1]))
if lapsed > 0 then
  redis.call('ZREMRANGEBYRANK', KEYS[1], 0, lapsed - 1)
end
return {now, live, lapsed}
