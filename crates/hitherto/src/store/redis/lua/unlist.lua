-- Takes a session that no longer exists off the list, unless it has been active since.
-- KEYS: 1 the list. ARGV: pairs of session and the activity that was seen.
for index = 1, #ARGV, 2 do
  if redis.call('ZSCORE', KEYS[1], ARGV[index]) == ARGV[index + 1] then
    redis.call('ZREM', KEYS[1], ARGV[index])
  end
end
return {'ok'}
