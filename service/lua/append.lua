-- Append events to the log, mark them pending and say whether a drain job waits: one atomic step.
--
-- KEYS[1]  the log: stream, one entry an event, id * = time received
--          fields id type account mode customer object request body
--          (pending is what the group has not acknowledged, so appending alone marks it)
-- KEYS[2]  counters: hash, accepted and duplicate
-- KEYS[3]  RQ's queue: list, read only
-- then two keys an event
--   the index bucket of its id:         hash, "<event id>:<digest>"   -> "<entry id> <mode>:<account>"
--   the index bucket of its request id: hash, "<request id>:<digest>" -> "<entry id> <mode>:<account>"
-- ARGV     nine values an event: id digest type account mode customer object request body
--
-- Returns  { jobs waiting in the queue, then 1 (appended) or 0 (duplicate) an event }

local reply = { 0 }
local accepted, duplicate = 0, 0

for event = 0, #ARGV / 9 - 1 do
  local id, digest, type, account, mode, customer, object, request, body = unpack(ARGV, event * 9 + 1, event * 9 + 9)
  local index, request_index = KEYS[4 + event * 2], KEYS[5 + event * 2]

  if redis.call('HEXISTS', index, id .. ':' .. digest) == 1 then
    duplicate = duplicate + 1
    reply[#reply + 1] = 0
  else
    local entry = redis.call('XADD', KEYS[1], '*',
      'id', id, 'type', type, 'account', account, 'mode', mode,
      'customer', customer, 'object', object, 'request', request, 'body', body)
    local where = entry .. ' ' .. mode .. ':' .. account
    redis.call('HSET', index, id .. ':' .. digest, where)
    if request ~= '' then
      redis.call('HSET', request_index, request .. ':' .. digest, where)
    end
    accepted = accepted + 1
    reply[#reply + 1] = 1
  end
end

if accepted > 0 then redis.call('HINCRBY', KEYS[2], 'accepted', accepted) end
if duplicate > 0 then redis.call('HINCRBY', KEYS[2], 'duplicate', duplicate) end
reply[1] = redis.call('LLEN', KEYS[3])
return reply
