-- Counts the live leases of places.
--
-- Keys, all of one call under one hash tag, as in renew.lua:
--   <prefix>:presence:{<site>:<shard>}:section:<name>, …:page:<path>   ZSETs
--
-- KEYS[1…]  the ZSETs
--
-- Returns {now in ms, live leases of each}.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local after = string.format('(%.0f', now)
local reply = {now}
for at = 1, #KEYS do
  reply[at + 1] = redis.call('ZCOUNT', KEYS[at], after, '+inf')
end
return reply
