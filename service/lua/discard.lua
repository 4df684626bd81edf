-- Discard an entry that failed for good: it stays in the log, and nobody is asked to look at it again.
--
-- KEYS[1]  retries: hash, entry id -> history
-- KEYS[2]  failed: sorted set, entry id -> when it failed for good
-- KEYS[3]  discarded: hash, entry id -> history
-- KEYS[4]  counters: hash, discarded
-- ARGV     entry id, history
--
-- Returns  1, or 0 when it is not failed (any more)

if redis.call('ZREM', KEYS[2], ARGV[1]) == 0 then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[3], ARGV[1], ARGV[2])
redis.call('HINCRBY', KEYS[4], 'discarded', 1)
return 1
