-- Begins a session, see session.lua; of a user who has too many it ends those that end first.
--
-- KEYS  1 session:<digest>  2 sessions:<name>
-- ARGV  1 digest  2 name  3 generation  4 idle, ms  5 lifetime, ms  6 address  7 browser  8 how many a user may have
--
-- Returns digests of sessions that had to end, for the caller to delete: their keys are not among KEYS.

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local at = string.format('%.0f', now)
local ends = string.format('%.0f', now + tonumber(ARGV[5]))
redis.call('HSET', KEYS[1], 'user', ARGV[2], 'generation', ARGV[3], 'made_ms', at, 'seen_ms', at, 'until_ms', ends,
  'address', ARGV[6], 'browser', ARGV[7])
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.min(tonumber(ARGV[4]), tonumber(ARGV[5]))))
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. at)
redis.call('ZADD', KEYS[2], ends, ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
local surplus = redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[8])
if surplus <= 0 then return {} end
local over = redis.call('ZRANGE', KEYS[2], 0, surplus - 1)
redis.call('ZREM', KEYS[2], unpack(over))
return over
