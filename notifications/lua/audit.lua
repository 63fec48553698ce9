-- Adds an entry to the audit trail. Not a script of its own: stands before those that call it.
--
--   audit       stream  one entry for each act, for ever: entry (JSON), chain
--   audit_head  hash    seq, chain: of the last entry, so that one that was cut off is missed
--
-- `chain` is a hash over this entry and the chain before it; notifications/audit.py computes the same.
-- `members` are those of the entry besides `seq` and `at_ms`, JSON without braces. An entry's id in the stream is the
-- store's own, so that a trail somebody has tampered with cannot keep anybody from announcing.

local function record(audit, audit_head, now, members)
  local at = redis.call('HMGET', audit_head, 'seq', 'chain')
  local seq, chain = tonumber(at[1] or 0) + 1, at[2] or redis.sha1hex('loa audit')
  local entry = '{"seq":' .. string.format('%.0f', seq) .. ',"at_ms":' .. string.format('%.0f', now) .. ',' .. members .. '}'
  chain = redis.sha1hex(chain .. '|' .. entry)
  redis.call('XADD', audit, '*', 'entry', entry, 'chain', chain)
  redis.call('HSET', audit_head, 'seq', string.format('%.0f', seq), 'chain', chain)
end
