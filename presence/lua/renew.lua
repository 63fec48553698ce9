-- Gives or renews the leases of readers.
--
-- Keys, all of one call under one hash tag:
--   <prefix>:presence:{<site>:<shard>}:site   ZSET, member = a reader's name of the day, score = when its lease lapses,
--                                             in milliseconds since the epoch by this server's clock
--
-- KEYS[1]  the ZSET
-- ARGV[1]  length of the lease, ms
-- ARGV[2]  midnight, ms since the epoch
-- ARGV[3]  names per reader: 1, good until midnight; or 2, the old day's and the new day's
-- ARGV[4…] the names
--
-- Returns {now in ms, readers that had no lease}, or {now in ms, -1} if single names came after their midnight:
-- nothing was written then.
--
-- A lease is never shortened here (GT). With two names, this server's clock alone decides which one counts, and the
-- other is removed in the same step, so a reader is never counted under both.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease = tonumber(ARGV[1])
local midnight = tonumber(ARGV[2])
local both = ARGV[3] == '2'

if not both and now >= midnight then
  return {now, -1}
end

local expiry = string.format('%.0f', now + lease)
local write = {}
if both then
  local keep = now < midnight and 0 or 1
  local drop = {}
  for at = 4, #ARGV, 2 do
    write[#write + 1] = expiry
    write[#write + 1] = ARGV[at + keep]
    drop[#drop + 1] = ARGV[at + 1 - keep]
  end
  redis.call('ZREM', KEYS[1], unpack(drop))
else
  for at = 4, #ARGV do
    write[#write + 1] = expiry
    write[#write + 1] = ARGV[at]
  end
end

local added = redis.call('ZADD', KEYS[1], 'GT', unpack(write))
-- A backstop for a site that is given up: with nobody left to sweep, the key goes by itself.
redis.call('PEXPIRE', KEYS[1], 3 * lease + 60000)
return {now, added}
