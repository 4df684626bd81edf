-- Erase entries with all that is noted of them; what was not applied yet counts as applied from now on.
--
-- KEYS[1]  the log: stream, whose group knows what is pending
-- KEYS[2]  retries: hash, entry id -> history
-- KEYS[3]  failed: sorted set, entry id -> when
-- KEYS[4]  discarded: hash, entry id -> history (they stay counted as discarded)
-- KEYS[5]  counters: hash, settled
-- KEYS[6]  overcome: hash, entry id -> history
-- ARGV[1]  the consumer group of the log
-- ARGV[2…] entry ids
--
-- Returns  how many were erased by this

local function parts(id)
  local time, number = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(time), tonumber(number)
end

local function last_delivered()
  local groups = redis.pcall('XINFO', 'GROUPS', KEYS[1])
  for _, group in ipairs(groups.err and {} or groups) do
    local fields = {}
    for i = 1, #group, 2 do fields[group[i]] = group[i + 1] end
    if fields['name'] == ARGV[1] then return fields['last-delivered-id'] end
  end
  return nil
end

local last = last_delivered()
local last_time, last_number = parts(last or '0-0')
local erased, settled = 0, 0
local gap = false

for i = 2, #ARGV do
  local id = ARGV[i]
  local time, number = parts(id)
  local untaken = time > last_time or (time == last_time and number > last_number)
  local taken = redis.call('XACK', KEYS[1], ARGV[1], id) == 1
  local failing = redis.call('HDEL', KEYS[2], id) == 1
  redis.call('ZREM', KEYS[3], id)
  redis.call('HDEL', KEYS[4], id)
  redis.call('HDEL', KEYS[6], id)
  if redis.call('XDEL', KEYS[1], id) == 1 then
    erased = erased + 1
    if untaken or taken or failing then settled = settled + 1 end
    gap = gap or untaken
  end
end

if gap and last then
  -- Redis 7.0 would count the gap as an entry to come, for ever; so it counts anew, without what it counted
  redis.call('XGROUP', 'SETID', KEYS[1], ARGV[1], last)
end
if settled > 0 then redis.call('HINCRBY', KEYS[5], 'settled', settled) end
return erased
