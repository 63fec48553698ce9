-- Looks whether revisions that were acknowledged are still there, and writes something after them.
--
-- The write is what a WAITAOF on the same connection then waits for: all that was written before it, on whichever
-- connection, is on disk when it is. The look is for a store that was replaced in between by one that knows less.
--
-- Keys: see commit.lua
-- KEYS  1 head  2 state
-- ARGV  id, revision; id, revision; ...
-- Returns 1 or 0 for each pair

local head, state = unpack(KEYS)

local found = {}
for place = 1, #ARGV, 2 do
  local payload = redis.call('HGET', state, ARGV[place])
  local there = payload and cjson.decode(payload).revision >= tonumber(ARGV[place + 1])
  found[#found + 1] = there and 1 or 0
end
redis.call('HINCRBY', head, 'confirmations', 1)
return found
