-- Writes a field of a hash anew, or removes it, if it is what it was thought to be.
--
-- Keys: see notifications/webhooks/keys.py
-- KEYS  1 all or hooks  2 changes  3 audit  4 audit_head
-- ARGV  1 field
--       2 before  '' if there is to be none
--       3 after   '' to remove it
--       4 most    how many there may be, where it is new
--       5 deed    who does what, for the audit trail, JSON without braces; see audit.lua
--
-- Returns 1, also if it is so already; 0 if it is neither, or there are as many as there may be

local hash, changes, audit, audit_head = unpack(KEYS)
local field, before, after, most, deed = unpack(ARGV)
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local there = redis.call('HGET', hash, field) or ''
if there == after and after ~= before then
  -- It was sent before, and the answer was lost on its way: there is one secret of that text.
  return 1
end
if there ~= before then
  return 0
end
if before == '' and redis.call('HLEN', hash) >= tonumber(most) then
  return 0
end
if after == '' then
  redis.call('HDEL', hash, field)
else
  redis.call('HSET', hash, field, after)
end
redis.call('INCR', changes)
record(audit, audit_head, now, deed)
return 1
