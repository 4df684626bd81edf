-- Note which customers' answers are ambiguous, and count them by what is in doubt.
--
-- KEYS[1]  doubts: hash, "<mode>:<account>:<customer>" -> "<version of the document> <what, commas between>"
-- KEYS[2]  counters: hash, doubts:default, doubts:order, doubts:object
-- ARGV[1]  how many customers to note at most
-- ARGV     then three values a customer: its field, version, what is in doubt (empty for nothing)
--
-- A note never gives way to one of an older version. Returns 1.

local changes = {}

local function change(kinds, by)
  for kind in string.gmatch(kinds, '%a+') do changes[kind] = (changes[kind] or 0) + by end
end

for i = 2, #ARGV, 3 do
  local customer, version, kinds = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local noted = redis.call('HGET', KEYS[1], customer)
  local noted_version, noted_kinds = string.match(noted or '0 ', '^(%d+) (.*)$')
  if tonumber(noted_version) <= tonumber(version) then
    if kinds ~= '' and (noted or redis.call('HLEN', KEYS[1]) < tonumber(ARGV[1])) then
      redis.call('HSET', KEYS[1], customer, version .. ' ' .. kinds)
      change(noted_kinds, -1)
      change(kinds, 1)
    elseif kinds == '' and noted then
      redis.call('HDEL', KEYS[1], customer)
      change(noted_kinds, -1)
    end
  end
end

for kind, by in pairs(changes) do
  if by ~= 0 then redis.call('HINCRBY', KEYS[2], 'doubts:' .. kind, by) end
end
return 1
