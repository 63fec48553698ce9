-- What an act on one announcement is decided by.
--
-- Keys: see commit.lua
-- KEYS  1 state  2 once
-- ARGV  1 id
-- Returns {now (ms), payload or nil, fingerprint or nil, payload of the first answer or nil}

local state, once = unpack(KEYS)

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local known = redis.call('HMGET', once, 'fingerprint', 'payload')
return {now, redis.call('HGET', state, ARGV[1]), known[1], known[2]}
