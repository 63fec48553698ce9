-- Puts down that an announcement has expired, if its time is what it was thought to be.
--
-- Keys: see notifications/webhooks/keys.py
-- KEYS  1 lease  2 waiting  3 expiring
-- ARGV  1 term
--       2 announcement
--       3 when       it expires, as the expiring set has it (ms)
--       4 happening  '' if nobody is to be told
--       5 waiting    JSON
--
-- Returns 1; 0 if the lease is another's or it expires at another time: nothing is written

local lease, waiting, expiring = unpack(KEYS)
local term, announcement, when, happening, json = unpack(ARGV)
if redis.call('GET', lease) ~= term or redis.call('ZSCORE', expiring, announcement) ~= when then
  return 0
end
redis.call('ZREM', expiring, announcement)
if happening ~= '' then
  redis.call('HSETNX', waiting, happening, json)
end
return 1
