-- Say of each entry whether it is pending, retrying, failed, discarded or applied, at one instant.
--
-- KEYS[1]  the log: stream
-- KEYS[2]  retries: hash, entry id -> JSON with "state": retrying or failed
-- KEYS[3]  discarded: hash, entry id -> JSON
-- ARGV[1]  the consumer group of the log
-- ARGV[2…] entry ids
--
-- Returns  one word an entry, in their order

local function parts(id)
  local time, number = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(time), tonumber(number)
end

local function delivered_up_to()
  local groups = redis.pcall('XINFO', 'GROUPS', KEYS[1])
  for _, group in ipairs(groups.err and {} or groups) do
    local fields = {}
    for i = 1, #group, 2 do fields[group[i]] = group[i + 1] end
    if fields['name'] == ARGV[1] then return parts(fields['last-delivered-id']) end
  end
  return nil
end

local last_time, last_number = delivered_up_to()

local function pending(id)
  if not last_time then return true end
  local time, number = parts(id)
  if time > last_time or (time == last_time and number > last_number) then return true end
  return #redis.call('XPENDING', KEYS[1], ARGV[1], id, id, 1) > 0
end

local states = {}
for i = 2, #ARGV do
  local retry = redis.call('HGET', KEYS[2], ARGV[i])
  if retry then
    states[i - 1] = cjson.decode(retry)['state']
  elseif redis.call('HEXISTS', KEYS[3], ARGV[i]) == 1 then
    states[i - 1] = 'discarded'
  elseif pending(ARGV[i]) then
    states[i - 1] = 'pending'
  else
    states[i - 1] = 'applied'
  end
end
return states
