-- Store a document if nobody else has stored a newer one in between.
--
-- KEYS[1]  onfile:c:{<namespace>:<id>} or onfile:s:{<namespace>:<id>}
--          string: 8 bytes of version (big-endian), then a zstd frame of answer and facts
-- ARGV[1]  the 8 bytes of the version it was made from; empty where there was none
-- ARGV[2]  the document, its new version in front
--
-- Returns 1 when stored, 0 when the stored version is another one.

if redis.call('GETRANGE', KEYS[1], 0, 7) ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2])
return 1
