-- Append events to the log, mark them pending and say whether a drain job waits: one atomic step.
--
-- KEYS[1]  the log: stream, one entry an event, id * = time received
--          fields id type account mode body: all else that an event says is read from its body
--          (pending is what the group has not acknowledged, so appending alone marks it)
-- KEYS[2]  counters: hash, accepted and duplicate
-- KEYS[3]  RQ's queue: list, read only
-- then two keys an event
--   the index bucket of its id, and that of its request id: hash, field -> value (service/log/index.py)
--          a field is 8 bytes for the id and 6 for the body; a value 6 bytes for the entry's milliseconds,
--          3 for its number among them, the first letter of its mode, and its account
-- ARGV     seven values an event: index fields, one behind the other, under any of which it is a duplicate and
--          under the first of which it is written; request's index field (empty when it has none), then
--          id type account mode body
--
-- Returns  { jobs waiting in the queue, then 1 (appended) or 0 (duplicate) an event }

local FIELD_BYTES = 14

local function is_known(index, fields)
  for at = 1, #fields, FIELD_BYTES do
    if redis.call('HEXISTS', index, string.sub(fields, at, at + FIELD_BYTES - 1)) == 1 then return true end
  end
  return false
end

local reply = { 0 }
local accepted, duplicate = 0, 0

for event = 0, #ARGV / 7 - 1 do
  local fields, request_field, id, type, account, mode, body = unpack(ARGV, event * 7 + 1, event * 7 + 7)
  local index, request_index = KEYS[4 + event * 2], KEYS[5 + event * 2]

  if is_known(index, fields) then
    duplicate = duplicate + 1
    reply[#reply + 1] = 0
  else
    local entry = redis.call('XADD', KEYS[1], '*',
      'id', id, 'type', type, 'account', account, 'mode', mode, 'body', body)
    local milliseconds, number = string.match(entry, '(%d+)-(%d+)')
    local where = struct.pack('>I6I3', milliseconds, number) .. string.sub(mode, 1, 1) .. account
    redis.call('HSET', index, string.sub(fields, 1, FIELD_BYTES), where)
    if request_field ~= '' then redis.call('HSET', request_index, request_field, where) end
    accepted = accepted + 1
    reply[#reply + 1] = 1
  end
end

if accepted > 0 then redis.call('HINCRBY', KEYS[2], 'accepted', accepted) end
if duplicate > 0 then redis.call('HINCRBY', KEYS[2], 'duplicate', duplicate) end
-- A key of another type is no reason to refuse events: workers lay it aside (workers/litter.py).
local waiting = redis.pcall('LLEN', KEYS[3])
if type(waiting) == 'number' then reply[1] = waiting end
return reply
