-- Where the log is, and what time it is there.
--
-- Keys: see commit.lua
-- KEYS  1 head
-- Returns {now (ms), epoch or nil, version or nil, chain or nil}

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local at = redis.call('HMGET', KEYS[1], 'epoch', 'version', 'chain')
return {now, at[1], at[2], at[3]}
