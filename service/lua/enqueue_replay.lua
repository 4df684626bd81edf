-- Queue entries of the log to be applied again, and say whether a replay job waits: one atomic step.
--
-- KEYS[1]  the replay queue: stream, one item an entry
--          fields entry (its id in the log)
-- KEYS[2]  RQ's queue of replay jobs: list, read only
-- ARGV     entry ids
--
-- Returns  { jobs waiting, the last item's id }

local item
for _, entry in ipairs(ARGV) do
  item = redis.call('XADD', KEYS[1], '*', 'entry', entry)
end
return { redis.call('LLEN', KEYS[2]), item }
