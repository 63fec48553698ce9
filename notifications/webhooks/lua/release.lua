-- Gives the lease back, so that another worker need not wait for its end.
--
-- KEYS  1 lease
-- ARGV  1 term

if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
