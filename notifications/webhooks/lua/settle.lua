-- Writes down what came of a try to deliver.
--
-- Keys: see notifications/webhooks/keys.py
-- KEYS  1 lease  2 all  3 waiting  4 dead  5 disabled  6 expiring  7 cursor
-- ARGV  1 term
--       2 id         of the webhook
--       3 happening
--       4 outcome    done: it is there; again: it waits; dead: it is put among the dead; gone: nothing is sent to the
--                    webhook any more
--       5 waiting    JSON, of what waits or is dead; of what is gone, why
--       6 most       how many may be dead; the oldest go first
--
-- Returns 1; 0 if the lease is another's, or the webhook was removed: nothing is written

local lease, all, waiting, dead, disabled, expiring, cursor = unpack(KEYS)
local term, id, happening, outcome, json, most = unpack(ARGV)
if redis.call('GET', lease) ~= term or redis.call('HEXISTS', all, id) == 0 then
  return 0
end
if outcome == 'gone' then
  redis.call('HSET', disabled, id, json)
  redis.call('DEL', waiting, expiring)
  redis.call('HDEL', cursor, id)
elseif outcome == 'again' then
  redis.call('HSET', waiting, happening, json)
else
  redis.call('HDEL', waiting, happening)
end
if outcome == 'dead' then
  redis.call('XADD', dead, 'MAXLEN', most, '*', 'webhook', id, 'happening', happening, 'waiting', json)
end
return 1
