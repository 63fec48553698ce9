-- Counts a sign-in before its password is looked at, or says how long to wait: see notifications/people/lockout.py.
--
--   tries:pair:*      hash   n, until_ms: failures of one address with one name, and until when it must wait
--   tries:address:*   hash   the same of one address, whatever the names
--   tries:name:*      hash   n: failures with one name from anywhere
--   tries:device:*    hash   the same as a pair, of one browser that has signed in with the name before
--   devices:*         sorted set   digest → when it last signed in (ms)
--
-- KEYS  1 tries:pair  2 tries:address  3 tries:name  4 tries:device  5 devices:<name>
-- ARGV  1 digest of the device's cookie, '' if none came  2 '1' if the address is limited, else '0'
--       3 ms after which failures are forgotten  4 free tries of a pair  5 of an address  6 longest wait, ms
--       7 failures with a name after which strangers have one free try and a long first wait  8 that wait, ms
--       9 ms for which a device is known  10 first wait, ms: each is twice as long as the one before
--
-- Returns how many ms to wait before the next try (0: go on, it is counted) and whether the device is known (1, 0).

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local known = 0
if ARGV[1] ~= '' then
  local last = redis.call('ZSCORE', KEYS[5], ARGV[1])
  if last and now - tonumber(last) < tonumber(ARGV[9]) then known = 1 end
end

local function waits(key)
  return math.max(0, tonumber(redis.call('HGET', key, 'until_ms') or '0') - now)
end

local function count(key, free, first)
  local n = redis.call('HINCRBY', key, 'n', 1)
  if n >= free then
    local wait = math.min(first * 2 ^ math.min(n - free, 30), tonumber(ARGV[6]))
    redis.call('HSET', key, 'until_ms', string.format('%.0f', now + wait))
  end
  redis.call('PEXPIRE', key, ARGV[3])
end

if known == 1 then
  local wait = waits(KEYS[4])
  if wait > 0 then return {wait, 1} end
  count(KEYS[4], tonumber(ARGV[4]), tonumber(ARGV[10]))
  return {0, 1}
end

local wait = waits(KEYS[1])
if ARGV[2] == '1' then wait = math.max(wait, waits(KEYS[2])) end
if wait > 0 then return {wait, 0} end
local besieged = tonumber(redis.call('HGET', KEYS[3], 'n') or '0') >= tonumber(ARGV[7])
if besieged then count(KEYS[1], 1, tonumber(ARGV[8])) else count(KEYS[1], tonumber(ARGV[4]), tonumber(ARGV[10])) end
if ARGV[2] == '1' then count(KEYS[2], tonumber(ARGV[5]), tonumber(ARGV[10])) end
redis.call('HINCRBY', KEYS[3], 'n', 1)
-- From the first failure on: an hour of siege is forgotten an hour after it began.
if redis.call('PTTL', KEYS[3]) < 0 then redis.call('PEXPIRE', KEYS[3], ARGV[3]) end
return {0, 0}
