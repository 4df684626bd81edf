-- Let rows of the index stand under other fields: the digests in them are keyed otherwise from now on.
-- A row that has left the index meanwhile, with its entry, stays away.
--
-- KEYS     one index bucket a row: hash, field -> value (lua/append.lua)
-- ARGV     two values a row: the field it is to have; and those it may have, one behind the other
--
-- Returns  how many rows were moved

local FIELD_BYTES = 14

local moved = 0
for row, index in ipairs(KEYS) do
  local wanted, old = ARGV[row * 2 - 1], ARGV[row * 2]
  for at = 1, #old, FIELD_BYTES do
    local field = string.sub(old, at, at + FIELD_BYTES - 1)
    local value = redis.call('HGET', index, field)
    if value then
      redis.call('HSETNX', index, wanted, value)
      redis.call('HDEL', index, field)
      moved = moved + 1
    end
  end
end
return moved
