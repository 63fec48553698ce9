-- A sign-in succeeded: takes back what attempt.lua counted for it, and remembers the device.
--
-- KEYS  1 tries:pair  2 tries:address  3 tries:name  4 tries:device  5 devices:<name>
-- ARGV  1 digest of the cookie the device is given  2 how many devices are remembered  3 for how long, ms
--       4 '1' if the device was known, else '0'  5 '1' if the address is limited, else '0'
--       6 digest of the cookie it came with, '' if none
--
-- Returns nothing.

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if ARGV[4] == '1' then
  redis.call('DEL', KEYS[4])
else
  redis.call('DEL', KEYS[1])
  -- Of the address only this one try: else whoever has an account could guess others' passwords without an end.
  for at = 2, 3 do
    if (at == 3 or ARGV[5] == '1') and redis.call('EXISTS', KEYS[at]) == 1 then
      if redis.call('HINCRBY', KEYS[at], 'n', -1) <= 0 then redis.call('DEL', KEYS[at]) end
      -- A wait that is in force was set by this try: none begins while there is one.
      redis.call('HDEL', KEYS[at], 'until_ms')
    end
  end
end
if ARGV[6] ~= '' then redis.call('ZREM', KEYS[5], ARGV[6]) end
redis.call('ZADD', KEYS[5], string.format('%.0f', now), ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[5], 0, -tonumber(ARGV[2]) - 1)
redis.call('PEXPIRE', KEYS[5], ARGV[3])
return nil
