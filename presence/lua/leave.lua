-- Shortens the leases of readers that have left the site, or a place of it, so that they are counted for the grace and no
-- longer.
--
-- Keys, all of one call under one hash tag, as in renew.lua:
--   <prefix>:presence:{<site>:<shard>}:…   ZSETs
--
-- KEYS[1…]   the ZSETs
-- ARGV[1]    grace, ms
-- ARGV[1+k]  every name that a lease in KEYS[k] may stand under now, 12 bytes each, joined
--
-- Returns {now in ms, leases shortened}.
--
-- A lease is never given (XX) or lengthened (LT) here. Whoever still holds the reader renews it within the grace.

local WIDTH = 12

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local expiry = string.format('%.0f', now + tonumber(ARGV[1]))
local shortened = 0
for at = 1, #KEYS do
  local packed = ARGV[1 + at]
  local write = {}
  for first = 1, #packed, WIDTH do
    write[#write + 1] = expiry
    write[#write + 1] = string.sub(packed, first, first + WIDTH - 1)
  end
  shortened = shortened + redis.call('ZADD', KEYS[at], 'XX', 'LT', 'CH', unpack(write))
end
return {now, shortened}
