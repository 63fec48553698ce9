-- Announcements in order of time, the newest first.
--
-- Keys: see commit.lua
-- KEYS  1 ids  2 state
-- ARGV  1 before  only ids less than this one; '' for the newest
--       2 count   at most
-- Returns {now (ms), id, payload or nil, id, payload or nil, ...}
--
-- The ids are told as well, so that the next page begins in the right place whatever the payloads are.

local ids, state = unpack(KEYS)
local before, count = unpack(ARGV)

local time = redis.call('TIME')
local answer = {tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)}
local top = before == '' and '+' or '(' .. before
for _, id in ipairs(redis.call('ZREVRANGEBYLEX', ids, top, '-', 'LIMIT', 0, count)) do
  answer[#answer + 1] = id
  answer[#answer + 1] = redis.call('HGET', state, id)
end
return answer
