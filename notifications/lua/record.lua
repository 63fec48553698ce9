-- Writes down an act that is no change of an announcement, see audit.lua.
--
-- KEYS  1 audit  2 audit_head
-- ARGV  1 members of the entry, JSON without braces
--
-- Returns the time, ms.

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
record(KEYS[1], KEYS[2], now, ARGV[1])
return now
