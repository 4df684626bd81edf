-- Take an entry that cannot be read out of the index: the row that leads to it is known by its value alone.
--
-- KEYS[1]  index bucket of its event id: hash, field -> value (lua/append.lua)
-- ARGV[1]  how the values begin: the entry's milliseconds and its number among them, nine bytes
--
-- Returns  how many rows led to it

local found = 0
local rows = redis.call('HGETALL', KEYS[1])
for i = 1, #rows, 2 do
  if string.sub(rows[i + 1], 1, #ARGV[1]) == ARGV[1] then found = found + redis.call('HDEL', KEYS[1], rows[i]) end
end
return found
