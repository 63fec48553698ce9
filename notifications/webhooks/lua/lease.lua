-- Takes, or keeps, the lease of the worker that delivers webhooks, and says what that worker has to know.
--
-- Whoever holds it writes only by scripts that look at it first (see take.lua, settle.lua, expire.lua): a worker that
-- was thought dead, or was stopped for a while, changes nothing any more once its lease has ended.
--
-- Keys: see notifications/webhooks/keys.py
-- KEYS  1 lease  2 changes  3 dead
-- ARGV  1 term  random, of this worker's time in office
--       2 ms    how long the lease is
--
-- Returns {1 if it is ours, now (ms), changes, how many are dead}

local lease, changes, dead = unpack(KEYS)
local term, ms = unpack(ARGV)

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local holder = redis.call('GET', lease)
local ours = 0
if not holder or holder == term then
  redis.call('SET', lease, term, 'PX', ms)
  ours = 1
end
return {ours, now, tonumber(redis.call('GET', changes) or 0), redis.call('XLEN', dead)}
