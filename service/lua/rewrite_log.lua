-- Write the log anew, a piece at a call: the store keeps the bytes of deleted entries, in its memory and in
-- its files, as long as any neighbour of theirs lives. The last call puts the new log in place of the old.
--
-- KEYS[1]  the log: stream
-- KEYS[2]  the copy: stream, holds at any time all entries of the log up to its own last one; it
--          expires where nobody goes on, for nothing trims it and it may hold what is to be erased
-- ARGV[1]  the consumer group of the log
-- ARGV[2]  how many entries to copy at most
-- ARGV[3…] two values an entry whose body is to be another: its id, the body
--
-- Returns  { entries copied, 1 when the copy is the log now, else 0 }

local LEFT_BEHIND_SECONDS = 600

local log, copy, group_name, most = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2])

local function fields_of(list)
  local fields = {}
  for i = 1, #list, 2 do fields[list[i]] = list[i + 1] end
  return fields
end

local bodies = {}
for i = 3, #ARGV, 2 do bodies[ARGV[i]] = ARGV[i + 1] end

local function copy_one(id, fields)
  for i = 1, #fields, 2 do
    if fields[i] == 'body' and bodies[id] then fields[i + 1] = bodies[id] end
  end
  redis.call('XADD', copy, id, unpack(fields))
end

local function take_over_group()
  for _, one in ipairs(redis.call('XINFO', 'GROUPS', log)) do
    local group = fields_of(one)
    if group['name'] == group_name then
      local read = group['entries-read']
      local create = { 'XGROUP', 'CREATE', copy, group_name, group['last-delivered-id'], 'MKSTREAM' }
      if read then create[#create + 1] = 'ENTRIESREAD'; create[#create + 1] = read end
      redis.pcall('XGROUP', 'DESTROY', copy, group_name) -- of a last call that did not come to its end
      redis.call(unpack(create))
      if group['pending'] > 0 then
        for _, taken in ipairs(redis.call('XPENDING', log, group_name, '-', '+', group['pending'])) do
          redis.call('XCLAIM', copy, group_name, taken[2], 0, taken[1],
            'IDLE', taken[3], 'RETRYCOUNT', taken[4], 'FORCE', 'JUSTID')
        end
      end
    end
  end
end

if redis.call('EXISTS', log) == 0 then
  redis.call('DEL', copy)
  return { 0, 1 }
end

local last = redis.call('XREVRANGE', copy, '+', '-', 'COUNT', 1)[1]
local entries = redis.call('XRANGE', log, last and '(' .. last[1] or '-', '+', 'COUNT', most)
for _, entry in ipairs(entries) do copy_one(entry[1], entry[2]) end
if #entries == most then
  redis.call('EXPIRE', copy, LEFT_BEHIND_SECONDS)
  return { #entries, 0 }
end

if redis.call('XLEN', copy) ~= redis.call('XLEN', log) then -- some left the log meanwhile: begin again
  redis.call('DEL', copy)
  return { #entries, 0 }
end

take_over_group()
if redis.call('EXISTS', copy) == 0 then -- an empty log without a group holds nothing to keep
  redis.call('DEL', log)
  return { 0, 1 }
end
local stream = fields_of(redis.call('XINFO', 'STREAM', log))
redis.call('XSETID', copy, stream['last-generated-id'],
  'ENTRIESADDED', stream['entries-added'], 'MAXDELETEDID', stream['max-deleted-entry-id'])
redis.call('PERSIST', copy)
redis.call('UNLINK', log) -- freed in the background; RENAME would do it here and now
redis.call('RENAME', copy, log)
return { #entries, 1 }
