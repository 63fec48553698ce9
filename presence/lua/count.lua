-- Counts the live leases of a site and sweeps some of the lapsed.
--
-- Keys, all of one call under one hash tag, as in renew.lua:
--   <prefix>:presence:{<site>:<shard>}:reading, …:idle, …:background   ZSETs
--
-- KEYS[1…3]  the ZSETs
-- ARGV[1]    most lapsed leases to delete in each
--
-- Returns {now in ms, live leases of the three, lapsed leases deleted}.
--
-- The sweep is bounded so that no call holds the server: what is left over is not counted, and goes next time.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local at = string.format('%.0f', now)
local reply = {now}
local swept = 0
for each = 1, 3 do
  local live = redis.call('ZCOUNT', KEYS[each], '(' .. at, '+inf')
  local lapsed = math.min(redis.call('ZCARD', KEYS[each]) - live, tonumber(ARGV[1]))
  if lapsed > 0 then
    redis.call('ZREMRANGEBYRANK', KEYS[each], 0, lapsed - 1)
    swept = swept + lapsed
  end
  reply[each + 1] = live
end
reply[5] = swept
return reply
