-- Queue entries of the log to be applied again: one atomic step, and one command for all.
--
-- KEYS[1]  the replay queue: stream, one item an entry
--          fields entry (its id in the log)
-- ARGV     entry ids
--
-- Returns  the last item's id

local item
for _, entry in ipairs(ARGV) do
  item = redis.call('XADD', KEYS[1], '*', 'entry', entry)
end
return item
