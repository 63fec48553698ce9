-- Looks up what a cookie stands for: the session and its user, in one step.
--
--   session:<digest>   hash   user, generation, made_ms, seen_ms, until_ms (its end at the latest), address, browser;
--                             expires by itself when nobody came for so long, or at its end
--   sessions:<name>    sorted set   digest → until_ms, for lists and to end them all
--   users              hash   name → the user, JSON
--
-- KEYS  1 session:<digest>  2 users
-- ARGV  1 idle: ms after which a session is over that nobody used  2 '1' if somebody is using it now, else '0'
--       3 ms between two notes of its use
--
-- Returns the time (ms), the session's fields as a flat list (empty: there is none) and the user ('' : there is none).

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local fields = redis.call('HGETALL', KEYS[1])
local session = {}
for at = 1, #fields, 2 do session[fields[at]] = fields[at + 1] end
if not session.user then return {now, {}, ''} end

local rest = tonumber(session.until_ms) - now
if rest <= 0 then
  redis.call('DEL', KEYS[1])
  return {now, {}, ''}
end
if ARGV[2] == '1' and now - tonumber(session.seen_ms) >= tonumber(ARGV[3]) then
  redis.call('HSET', KEYS[1], 'seen_ms', string.format('%.0f', now))
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.min(rest, tonumber(ARGV[1]))))
end
return {now, fields, redis.call('HGET', KEYS[2], session.user) or ''}
