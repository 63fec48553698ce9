-- Writes how many readers there were in a minute, unless some worker has done so before, and makes its hour anew.
--
-- Keys, under the hash tag of the site:
--   <prefix>:history:{<site>}:minutes:<date>    STRING, 8 bytes for each minute of a day in UTC
--   <prefix>:history:{<site>}:hours:<month>     STRING, 8 bytes for each hour of a month in UTC
-- A slot is two unsigned 32-bit numbers, high byte first: peak + 1, mean * 100; zeros if nothing was measured.
--
-- KEYS[1…2]  as above
-- ARGV[1]    which minute of the day
-- ARGV[2]    the slot
-- ARGV[3]    slots of the hours' string
-- ARGV[4]    which of these
-- ARGV[5]    how long the minutes are kept, s
-- ARGV[6]    how long the hours are kept, s
--
-- Returns 1 if it was written now, 0 if it had been.

local SLOT = 8
local DAY = 1440
local HOUR = 60
local EMPTY = string.rep('\0', SLOT)

local function prepare(key, slots, seconds)
  if redis.call('EXISTS', key) == 0 then
    -- As long as it will ever be: a string that grows is moved, and given twice the room it needs.
    redis.call('SETRANGE', key, slots * SLOT - 1, '\0')
    redis.call('EXPIRE', key, seconds)
  end
end

local minute = tonumber(ARGV[1])
local at = minute * SLOT
local there = redis.call('GETRANGE', KEYS[1], at, at + SLOT - 1)
if there ~= '' and there ~= EMPTY then
  return 0
end
prepare(KEYS[1], DAY, ARGV[5])
redis.call('SETRANGE', KEYS[1], at, ARGV[2])

local first = minute - minute % HOUR
local packed = redis.call('GETRANGE', KEYS[1], first * SLOT, (first + HOUR) * SLOT - 1)
local peak, sum, measured = 0, 0, 0
for offset = 1, #packed, SLOT do
  local most, mean = struct.unpack('>I4I4', packed, offset)
  if most > 0 then
    peak = math.max(peak, most)
    sum = sum + mean
    measured = measured + 1
  end
end
prepare(KEYS[2], tonumber(ARGV[3]), ARGV[6])
redis.call('SETRANGE', KEYS[2], tonumber(ARGV[4]) * SLOT, struct.pack('>I4I4', peak, math.floor(sum / measured + 0.5)))
return 1
