-- Store documents, each of them if nobody else has stored a newer one in between, whatever becomes of the others.
--
-- KEYS   onfile:c:{<namespace>:<id>} or onfile:s:{<namespace>:<id>}, one or, where the store is no cluster, several
--        string: 8 bytes of version (big-endian), then a zstd frame of answer and facts
-- ARGV   two values a key: the 8 bytes of the version its document was made from, empty where there was none;
--        the document, its new version in front
--
-- Returns 1 or 0 a key: stored, or not, since the stored version is another one.

local reply = {}
for place, key in ipairs(KEYS) do
  if redis.call('GETRANGE', key, 0, 7) == ARGV[place * 2 - 1] then
    redis.call('SET', key, ARGV[place * 2])
    reply[place] = 1
  else
    reply[place] = 0
  end
end
return reply
