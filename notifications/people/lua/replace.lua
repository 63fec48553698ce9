-- Writes a user if they still are what was read.
--
-- KEYS  1 users  2 passwords
-- ARGV  1 name  2 what was read, '' if nothing  3 what is to be there, '' to remove them
--       4 the password's hash, '' to leave it as it is
--       5 name of another who must be as they were read, '' if none  6 what was read of them
--
-- Returns 1, or 0 if somebody else was faster: then nothing is written. A client repeats what it got no answer to, so
-- finding all as it is to be is no failure.

local there = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if there == ARGV[3] and (ARGV[4] == '' or redis.call('HGET', KEYS[2], ARGV[1]) == ARGV[4]) then return 1 end
if there ~= ARGV[2] then return 0 end
if ARGV[5] ~= '' and redis.call('HGET', KEYS[1], ARGV[5]) ~= ARGV[6] then return 0 end
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
  redis.call('HDEL', KEYS[2], ARGV[1])
  return 1
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
if ARGV[4] ~= '' then redis.call('HSET', KEYS[2], ARGV[1], ARGV[4]) end
return 1
