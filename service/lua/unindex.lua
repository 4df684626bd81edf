-- Take an entry that cannot be read out of the index: the rows that lead to it are known by their values alone.
--
-- KEYS     index buckets: hash, field -> value (lua/append.lua); those of its event id and of its request id
-- ARGV[1]  how the values begin: the entry's milliseconds and its number among them, nine bytes
--
-- Returns  how many rows led to it

local found = 0
for _, index in ipairs(KEYS) do
  local rows = redis.call('HGETALL', index)
  for i = 1, #rows, 2 do
    if string.sub(rows[i + 1], 1, #ARGV[1]) == ARGV[1] then found = found + redis.call('HDEL', index, rows[i]) end
  end
end
return found
