-- Gives or renews the leases of readers: for the site, by what they do with its pages, and for the places they are at.
--
-- Keys, all of one call under one hash tag:
--   <prefix>:presence:{<site>:<shard>}:reading        ZSET, member = a reader's name of the day, score = when its lease
--   <prefix>:presence:{<site>:<shard>}:idle           lapses, in milliseconds since the epoch by this server's clock.
--   <prefix>:presence:{<site>:<shard>}:background     A reader is in one of these three.
--   <prefix>:presence:{<site>:<shard>}:section:<name> ZSET, the same for the readers of a section
--   <prefix>:presence:{<site>:<shard>}:page:<path>    and of a page
--
-- KEYS[1…3]  the three of the site
-- KEYS[4…]   those of the places
-- ARGV[1]    length of a lease, ms
-- ARGV[2]    midnight, ms since the epoch
-- ARGV[3]    names per reader: 1, good until midnight; or 2, the old day's and the new day's
-- ARGV[4]    grace, ms
-- ARGV[5]    how many of the places, the first ones, are to be tended: their backstop set, what has lapsed swept.
--            There are very many of them, and to do both each time would cost as much as the leases. Those with
--            newcomers are tended without being told.
-- ARGV[5+k]  the names to write to KEYS[k], 12 bytes each, joined
--
-- Returns {now in ms, readers of the site that had no lease, 1 if a place has more to sweep than one call may, else 0},
-- or {now in ms, -1, 0} if single names came after their midnight: nothing was written then.
--
-- A lease is never shortened here (GT). With two names, this server's clock alone decides which one counts, and the
-- other is removed in the same step, so a reader is never counted under both.
--
-- A reader held by several workers is what the most attentive of its tabs makes it. Each worker knows its own tabs only,
-- so: who is said to be more attentive is so at once; who is said to be less, when nobody has renewed the other for a
-- grace. (A grace is longer than a renewal interval: whoever still holds it has renewed it by then.)

local WIDTH = 12
local SWEEP = 1000

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease = tonumber(ARGV[1])
local midnight = tonumber(ARGV[2])
local both = ARGV[3] == '2'
local grace = tonumber(ARGV[4])
local tended = 3 + tonumber(ARGV[5])

if not both and now >= midnight then
  return {now, -1, 0}
end

local expiry = string.format('%.0f', now + lease)
local keep = both and now >= midnight and WIDTH or 0
local step = both and 2 * WIDTH or WIDTH

local function names(packed)
  local kept, dropped = {}, {}
  local count = 0
  for at = 1, #packed, step do
    count = count + 1
    kept[count] = string.sub(packed, at + keep, at + keep + WIDTH - 1)
    if both then
      dropped[count] = string.sub(packed, at + WIDTH - keep, at + 2 * WIDTH - keep - 1)
    end
  end
  return kept, dropped
end

local function write(key, members)
  local arguments = {}
  for at = 1, #members do
    arguments[2 * at - 1] = expiry
    arguments[2 * at] = members[at]
  end
  return redis.call('ZADD', key, 'GT', unpack(arguments))
end

-- A backstop for a site or a place that is given up: with nobody left to sweep, the key goes by itself.
local function backstop(key)
  redis.call('PEXPIRE', key, 3 * lease + 60000)
end

-- Of `members`, those that nobody holds at a higher level any more; they are taken from there.
local function released(key, members)
  local scores = redis.call('ZMSCORE', key, unpack(members))
  local free, taken = {}, {}
  for at, member in ipairs(members) do
    local score = tonumber(scores[at] or 0)
    if score <= now + lease - grace then
      free[#free + 1] = member
      if score > now then
        taken[#taken + 1] = member
      end
    end
  end
  if #taken > 0 then
    redis.call('ZREM', key, unpack(taken))
  end
  return free, #taken
end

local missing = 0
for level = 1, 3 do
  local members, dropped = names(ARGV[5 + level])
  if #dropped > 0 then
    for each = 1, 3 do
      missing = missing - redis.call('ZREM', KEYS[each], unpack(dropped))
    end
  end
  for higher = 1, level - 1 do
    if #members > 0 then
      local taken
      members, taken = released(KEYS[higher], members)
      missing = missing - taken
    end
  end
  if #members > 0 then
    local added = write(KEYS[level], members)
    backstop(KEYS[level])
    missing = missing + added
    if added > 0 then
      for lower = level + 1, 3 do
        missing = missing - redis.call('ZREM', KEYS[lower], unpack(members))
      end
    end
  end
end

local unswept = 0
for at = 4, #KEYS do
  local members, dropped = names(ARGV[5 + at])
  if #dropped > 0 then
    redis.call('ZREM', KEYS[at], unpack(dropped))
  end
  if write(KEYS[at], members) > 0 or at <= tended then
    backstop(KEYS[at])
    -- Nobody may ever ask for the number of this place, so it is swept by those who write to it.
    local lapsed = redis.call('ZCOUNT', KEYS[at], '-inf', now)
    if lapsed > 0 then
      redis.call('ZREMRANGEBYRANK', KEYS[at], 0, math.min(lapsed, SWEEP) - 1)
    end
    if lapsed > SWEEP then
      unswept = 1
    end
  end
end

return {now, math.max(0, missing), unswept}
