-- Settle entries: they are applied, and no longer pending, retrying, failed or discarded. Count each once.
--
-- KEYS[1]  the log: stream, whose group knows what is pending
-- KEYS[2]  retries: hash, entry id -> history
-- KEYS[3]  failed: sorted set, entry id -> when
-- KEYS[4]  discarded: hash, entry id -> history
-- KEYS[5]  counters: hash, settled and discarded
-- KEYS[6]  overcome: hash, entry id -> history, of those that were failing; no more than MOST of them
-- KEYS[7]  RQ's failed jobs: sorted set, event id -> when
-- ARGV[1]  the consumer group of the log
-- ARGV[2…] entry ids
--
-- Returns  how many were settled by this

local MOST = 10000

local function settle_one(id)
  local history = redis.call('HGET', KEYS[2], id)
  if history and redis.call('HLEN', KEYS[6]) < MOST then redis.call('HSET', KEYS[6], id, history) end
  local was_pending = redis.call('XACK', KEYS[1], ARGV[1], id)
  local was_failing = redis.call('HDEL', KEYS[2], id)
  local was_discarded = redis.call('HDEL', KEYS[4], id)
  if redis.call('ZREM', KEYS[3], id) == 1 and history then -- else its job is at work, and ends itself
    redis.call('ZREM', KEYS[7], cjson.decode(history)['event'])
  end
  if was_discarded == 1 then redis.call('HINCRBY', KEYS[5], 'discarded', -1) end
  return math.max(was_pending, was_failing, was_discarded)
end

local settled = 0
if redis.call('EXISTS', KEYS[2], KEYS[4]) == 0 then
  settled = redis.call('XACK', KEYS[1], unpack(ARGV))
else
  for i = 2, #ARGV do settled = settled + settle_one(ARGV[i]) end
end
if settled > 0 then redis.call('HINCRBY', KEYS[5], 'settled', settled) end
return settled
