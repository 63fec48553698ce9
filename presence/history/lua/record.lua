-- Keeps the most readers that were ever online at a time, and when that was.
--
-- Keys:
--   <prefix>:history:{<site>}:record   HASH: online, at (RFC 3339)
--
-- KEYS[1]  as above
-- ARGV[1]  readers
-- ARGV[2]  when
--
-- Returns the record that stands now. Of equal numbers the first is the record.

local record = tonumber(redis.call('HGET', KEYS[1], 'online') or '0')
if tonumber(ARGV[1]) > record then
  redis.call('HSET', KEYS[1], 'online', ARGV[1], 'at', ARGV[2])
  return tonumber(ARGV[1])
end
return record
