-- Note which entries of the log told of a customer or a source; noting one again changes nothing.
--
-- KEYS  one a customer or source, onfile:m:<namespace>:<id>
--         set of whole numbers, each an entry's id: its milliseconds * 2^21 + its number among them
--         (an intset: eight bytes each). It expires where its last entries are old (retention.trim).
-- ARGV  one a key: its numbers, with blanks between
--
-- Returns  1

for i, key in ipairs(KEYS) do
  for number in string.gmatch(ARGV[i], '%d+') do redis.call('SADD', key, number) end
  redis.call('PERSIST', key)
end
return 1
