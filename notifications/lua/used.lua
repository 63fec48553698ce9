-- Notes that a token was used, unless that was noted a moment ago.
--
--   tokens:all    hash   id → the token, JSON
--   tokens:used   hash   id → when it was last used (ms), to the minute
--
-- KEYS  1 tokens:all  2 tokens:used
-- ARGV  1 id  2 ms between two notes
--
-- Returns 1 if it was noted, else 0.

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
local last = tonumber(redis.call('HGET', KEYS[2], ARGV[1]) or '0')
if now - last < tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[2], ARGV[1], string.format('%.0f', now))
return 1
