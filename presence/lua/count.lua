-- Counts the live leases of a site and sweeps some of the lapsed; tells how many sessions there are besides that are no
-- readers, as each worker says of its own.
--
-- Keys, all of one call under one hash tag, as in renew.lua:
--   <prefix>:presence:{<site>:<shard>}:reading, …:idle, …:background   ZSETs
--   <prefix>:presence:{<site>:0}:apart  hash, a worker -> until when that holds (ms), and its robots, hidden pages,
--                                       prerendered pages and connections that have not answered, with spaces between
--
-- KEYS[1…3]  the ZSETs
-- KEYS[4]    the hash, for the first shard only
-- ARGV[1]    most lapsed leases to delete in each
-- ARGV[2]    this worker
-- ARGV[3]    its four numbers, with spaces between; empty if it has nothing to say, as one that only asks
-- ARGV[4]    how long they hold, ms
--
-- Returns {now in ms, live leases of the three, lapsed leases deleted, and with KEYS[4] the four numbers of all workers}.
--
-- The sweep is bounded so that no call holds the server: what is left over is not counted, and goes next time.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local at = string.format('%.0f', now)
local reply = {now}
local swept = 0
for each = 1, 3 do
  local live = redis.call('ZCOUNT', KEYS[each], '(' .. at, '+inf')
  local lapsed = math.min(redis.call('ZCARD', KEYS[each]) - live, tonumber(ARGV[1]))
  if lapsed > 0 then
    redis.call('ZREMRANGEBYRANK', KEYS[each], 0, lapsed - 1)
    swept = swept + lapsed
  end
  reply[each + 1] = live
end
reply[5] = swept

if KEYS[4] then
  if ARGV[3] == '0 0 0 0' then
    redis.call('HDEL', KEYS[4], ARGV[2])
  elseif ARGV[3] ~= '' then
    redis.call('HSET', KEYS[4], ARGV[2], string.format('%.0f', now + tonumber(ARGV[4])) .. ' ' .. ARGV[3])
    redis.call('PEXPIRE', KEYS[4], ARGV[4])
  end
  local sums = {0, 0, 0, 0}
  local said = redis.call('HGETALL', KEYS[4])
  for each = 1, #said, 2 do
    local numbers = {}
    for number in string.gmatch(said[each + 1], '%d+') do
      numbers[#numbers + 1] = tonumber(number)
    end
    if numbers[1] > now then
      for kind = 1, 4 do
        sums[kind] = sums[kind] + numbers[1 + kind]
      end
    else
      redis.call('HDEL', KEYS[4], said[each])
    end
  end
  for kind = 1, 4 do
    reply[5 + kind] = sums[kind]
  end
end
return reply
