-- Removes a webhook with all that waits for it.
--
-- Keys: see notifications/webhooks/keys.py
-- KEYS  1 all  2 cursor  3 disabled  4 waiting  5 expiring  6 changes  7 audit  8 audit_head
-- ARGV  1 id
--       2 deed  who does what, for the audit trail, JSON without braces; see audit.lua
--
-- Returns 1; 0 if there is none of this id

local all, cursor, disabled, waiting, expiring, changes, audit, audit_head = unpack(KEYS)
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if redis.call('HDEL', all, ARGV[1]) == 0 then
  return 0
end
redis.call('HDEL', cursor, ARGV[1])
redis.call('HDEL', disabled, ARGV[1])
redis.call('DEL', waiting, expiring)
redis.call('INCR', changes)
record(audit, audit_head, now, ARGV[2])
return 1
