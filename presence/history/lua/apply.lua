-- Applies one batch of page views and readers of a day to the counters, once, however often it is sent.
--
-- Keys, all under the hash tag of the site:
--   <prefix>:history:{<site>}:views:<year>     HASH, MM-DD → page views
--   <prefix>:history:{<site>}:visits:<year>    HASH, MM-DD → readers
--   <prefix>:history:{<site>}:total            HASH: views, visits: of all days; since: the first of them
--   <prefix>:history:{<site>}:readers:<date>   HyperLogLog of the day's readers
--   <prefix>:history:{<site>}:applied:<run>    number of the last batch of a worker's run that was applied
--
-- KEYS[1…5]  as above
-- ARGV[1]    number of the batch
-- ARGV[2]    1: apply it also if the one before it is not here; it is not to be had any more
-- ARGV[3]    the day, YYYY-MM-DD
-- ARGV[4]    page views
-- ARGV[5]    names of readers, 12 bytes each, joined
-- ARGV[6]    how long the HyperLogLog is kept after the last reader, s
-- ARGV[7]    how long the number of the batch is kept, s
--
-- Returns the number of the last batch that is applied now: this one's or a later one's if it is done, an earlier one's
-- if what lies between is missing; nothing was done then.

local WIDTH = 12
local CHUNK = 1000

local number = tonumber(ARGV[1])
local last = tonumber(redis.call('GET', KEYS[5]) or '0')
if number <= last or (number ~= last + 1 and ARGV[2] ~= '1') then
  return last
end
redis.call('SET', KEYS[5], ARGV[1], 'EX', ARGV[7])
redis.call('HSETNX', KEYS[3], 'since', ARGV[3])

local day = string.sub(ARGV[3], 6)
if tonumber(ARGV[4]) > 0 then
  redis.call('HINCRBY', KEYS[1], day, ARGV[4])
  redis.call('HINCRBY', KEYS[3], 'views', ARGV[4])
end

local packed = ARGV[5]
local changed = 0
for first = 1, #packed, CHUNK * WIDTH do
  local names = {}
  for at = first, math.min(#packed, first + CHUNK * WIDTH - 1), WIDTH do
    names[#names + 1] = string.sub(packed, at, at + WIDTH - 1)
  end
  changed = changed + redis.call('PFADD', KEYS[4], unpack(names))
end
if #packed > 0 then
  redis.call('EXPIRE', KEYS[4], ARGV[6])
end
if changed > 0 then
  -- Never fewer than before: a HyperLogLog that was evicted, or has expired, begins anew.
  local before = tonumber(redis.call('HGET', KEYS[2], day) or '0')
  local readers = redis.call('PFCOUNT', KEYS[4])
  if readers > before then
    redis.call('HSET', KEYS[2], day, readers)
    redis.call('HINCRBY', KEYS[3], 'visits', readers - before)
  end
end
return number
