-- Adds a webhook that is told of what happens from now on; or has one that was disabled begin anew, from now on.
--
-- Keys: see notifications/webhooks/keys.py
-- KEYS  1 all  2 cursor  3 disabled  4 changes  5 audit  6 audit_head
-- ARGV  1 id
--       2 webhook  JSON; '' for one that is there and disabled
--       3 most     how many there may be
--       4 deed     who does what, for the audit trail, JSON without braces; see audit.lua
--
-- Returns 1, also if this very one is there already; 0 if there are as many as there may be, or it is not there, or not disabled

local all, cursor, disabled, changes, audit, audit_head = unpack(KEYS)
local id, webhook, most, deed = unpack(ARGV)
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if webhook == '' then
  if redis.call('HEXISTS', all, id) == 0 or redis.call('HDEL', disabled, id) == 0 then
    return 0
  end
else
  local there = redis.call('HGET', all, id)
  if there == webhook then
    -- It was sent before, and the answer was lost on its way.
    return 1
  end
  if not there and redis.call('HLEN', all) >= tonumber(most) then
    return 0
  end
  redis.call('HSET', all, id, webhook)
end
record(audit, audit_head, now, deed)
local last = redis.call('XREVRANGE', audit, '+', '-', 'COUNT', 1)
redis.call('HSET', cursor, id, last[1][1])
redis.call('INCR', changes)
return 1
