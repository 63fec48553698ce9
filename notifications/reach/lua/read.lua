-- The reach of one announcement, at one moment.
--
-- Keys: see apply.lua
-- KEYS  1 the hash  2 rendered  3 clicked  4 dismissed
--
-- Returns {now (ms), readers that saw it, that followed its link, that put it away, sums of each worker…}.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local reply = {now}
for deed = 2, 4 do
  reply[deed] = redis.call('PFCOUNT', KEYS[deed])
end
for _, sums in ipairs(redis.call('HVALS', KEYS[1])) do
  reply[#reply + 1] = sums
end
return reply
