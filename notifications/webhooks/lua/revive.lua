-- Has a dead delivery wait again, as if it had not been tried; or gives it up for good.
--
-- Keys: see notifications/webhooks/keys.py
-- KEYS  1 dead  2 all  3 disabled  4 waiting  5 changes  6 audit  7 audit_head
-- ARGV  1 id         of the dead
--       2 webhook    its id
--       3 happening
--       4 waiting    JSON; '' to give it up
--       5 deed       who does what, for the audit trail, JSON without braces; see audit.lua
--
-- Returns 1, also if it has been done already; 0 if its webhook is not there any more, or is disabled, or it is not there
-- any more and nothing of it waits

local dead, all, disabled, waiting, changes, audit, audit_head = unpack(KEYS)
local id, webhook, happening, json, deed = unpack(ARGV)
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if json ~= '' and (redis.call('HEXISTS', all, webhook) == 0 or redis.call('HEXISTS', disabled, webhook) == 1) then
  return 0
end
if redis.call('XDEL', dead, id) == 0 then
  -- Whoever asks has just seen it there: it was sent before, and the answer was lost on its way.
  return json == '' and 1 or redis.call('HEXISTS', waiting, happening)
end
if json ~= '' then
  redis.call('HSETNX', waiting, happening, json)
  redis.call('INCR', changes)
end
record(audit, audit_head, now, deed)
return 1
