-- Moves a webhook's cursor and puts down what it passed over that is to be delivered, in one step: whatever the trail
-- holds is either before the cursor and waits, or is delivered, or is behind it.
--
-- Keys: see notifications/webhooks/keys.py
-- KEYS  1 lease  2 cursor  3 waiting  4 expiring
-- ARGV  1 term
--       2 id     of the webhook
--       3 from   where the cursor is
--       4 to     where it goes
--       5 count  of what is to be delivered
--       6 ...    happening, waiting (JSON); for each of them
--       then     announcement, when it expires (ms; '' if it does not any more); for each that the webhook follows
--
-- Returns 1; 0 if the lease is another's or the cursor has moved: nothing is written

local lease, cursor, waiting, expiring = unpack(KEYS)
if redis.call('GET', lease) ~= ARGV[1] or redis.call('HGET', cursor, ARGV[2]) ~= ARGV[3] then
  return 0
end
redis.call('HSET', cursor, ARGV[2], ARGV[4])
local place = 6
for _ = 1, tonumber(ARGV[5]) do
  redis.call('HSETNX', waiting, ARGV[place], ARGV[place + 1])
  place = place + 2
end
for at = place, #ARGV, 2 do
  if ARGV[at + 1] == '' then
    redis.call('ZREM', expiring, ARGV[at])
  else
    redis.call('ZADD', expiring, ARGV[at + 1], ARGV[at])
  end
end
return 1
