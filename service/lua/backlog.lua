-- Say how much of the log is not applied yet, how old the oldest of it is, and where the rest stands.
--
-- KEYS[1]  the log: stream
-- KEYS[2]  retries: hash, one field an event that has failed at least once
-- KEYS[3]  failed: sorted set, those of them that failed for good
-- KEYS[4]  counters: hash
-- ARGV[1]  the consumer group of the log
-- ARGV[2]  how many entries to count one by one, where the store keeps no count
--
-- Returns  { entries no worker has taken, entries taken, age of the oldest of both in ms or -1, retries,
--            failed for good, accepted, settled, discarded, the store's clock in ms }

local function group_fields()
  local groups = redis.pcall('XINFO', 'GROUPS', KEYS[1])
  for _, group in ipairs(groups.err and {} or groups) do
    local fields = {}
    for i = 1, #group, 2 do fields[group[i]] = group[i + 1] end
    if fields['name'] == ARGV[1] then return fields end
  end
  return nil
end

local group = group_fields()
local untaken, taken, oldest = 0, 0, nil
local after = group and '(' .. group['last-delivered-id'] or '-'

if group then
  taken = group['pending']
  -- the store loses this count when an entry that nobody has taken was deleted
  untaken = group['lag'] or #redis.call('XRANGE', KEYS[1], after, '+', 'COUNT', ARGV[2])
  if taken > 0 then oldest = redis.call('XPENDING', KEYS[1], ARGV[1])[2] end
else
  untaken = redis.call('XLEN', KEYS[1])
end

if untaken > 0 then
  local first = redis.call('XRANGE', KEYS[1], after, '+', 'COUNT', 1)[1]
  if not first then untaken = 0 end -- in a log that was emptied the store counts the erased ones
  oldest = oldest or first and first[1]
end

local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local age = oldest and math.max(0, now - tonumber(string.match(oldest, '^%d+'))) or -1
local counted = redis.call('HMGET', KEYS[4], 'accepted', 'settled', 'discarded')
for i = 1, 3 do counted[i] = tonumber(counted[i] or 0) end
return {
  untaken, taken, age, redis.call('HLEN', KEYS[2]),
  redis.call('ZCARD', KEYS[3]), counted[1], counted[2], counted[3], now,
}
