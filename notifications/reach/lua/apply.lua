-- Takes in what one worker knows of the reach of some announcements. May be sent again: the sums are whole and replace
-- those before, the names are members of a set.
--
-- Keys, all under the hash tag of announcements:
--   <prefix>:{announcements}:reach:<id>              HASH, a worker's run → "<number of the write>:<its sums, JSON>"
--   <prefix>:{announcements}:reach:<id>:rendered     HyperLogLog of the names of readers that saw it
--   <prefix>:{announcements}:reach:<id>:clicked      … that followed its link
--   <prefix>:{announcements}:reach:<id>:dismissed    … that put it away
--
-- KEYS  of each announcement the four, one after the other
-- ARGV  of each announcement 7:
--         1     the worker's run
--         2     number of the write
--         3     its number, a colon and the sums
--         4     when all of it goes, ms since the epoch
--         5…7   names of readers, 8 bytes each, joined, for the three HyperLogLogs
--
-- Returns of each announcement the number of the write that was there before, 0 if there was none.

local WIDTH = 8
local CHUNK = 1000

local before = {}
for one = 1, #KEYS / 4 do
  local hash = KEYS[4 * one - 3]
  local run, number, sums, ends = unpack(ARGV, 7 * one - 6, 7 * one - 3)
  local known = redis.call('HGET', hash, run)
  local last = known and tonumber(string.match(known, '^%d+')) or 0
  before[one] = last
  -- An older one comes late from a connection that was given up.
  if tonumber(number) > last then
    redis.call('HSET', hash, run, sums)
    redis.call('PEXPIREAT', hash, ends)
  end
  for deed = 1, 3 do
    local packed = ARGV[7 * one - 3 + deed]
    local readers = KEYS[4 * one - 3 + deed]
    for first = 1, #packed, CHUNK * WIDTH do
      local names = {}
      for at = first, math.min(#packed, first + CHUNK * WIDTH - 1), WIDTH do
        names[#names + 1] = string.sub(packed, at, at + WIDTH - 1)
      end
      redis.call('PFADD', readers, unpack(names))
    end
    if #packed > 0 then
      redis.call('PEXPIREAT', readers, ends)
    end
  end
end
return before
