-- Write the history of an entry that has failed: it is retrying or failed, and no longer pending.
-- One that has left the log meanwhile, erased or too old, has no more to be tried: it is settled.
--
-- KEYS[1]  the log: stream, whose group knows what is pending
-- KEYS[2]  retries: hash, entry id -> history
-- KEYS[3]  failed: sorted set, entry id -> when it failed for good
-- KEYS[4]  discarded: hash, entry id -> history
-- KEYS[5]  counters: hash, settled and discarded
-- ARGV     the consumer group of the log, entry id, state (retrying or failed), unix time, history
--
-- Returns  1, or 0 when it has left the log

local group, id, state, now, history = unpack(ARGV)
local was_pending = redis.call('XACK', KEYS[1], group, id) == 1

if #redis.call('XRANGE', KEYS[1], id, id) == 0 then
  local was_failing = redis.call('HDEL', KEYS[2], id) == 1
  redis.call('ZREM', KEYS[3], id)
  if was_pending or was_failing then redis.call('HINCRBY', KEYS[5], 'settled', 1) end
  return 0
end

local was_failing = redis.call('HSET', KEYS[2], id, history) == 0
local was_discarded = redis.call('HDEL', KEYS[4], id) == 1

if was_discarded then
  redis.call('HINCRBY', KEYS[5], 'discarded', -1)
elseif not was_pending and not was_failing then
  redis.call('HINCRBY', KEYS[5], 'settled', -1) -- it was applied before and is tried again
end
if state == 'failed' then
  redis.call('ZADD', KEYS[3], now, id)
else
  redis.call('ZREM', KEYS[3], id)
end
return 1
