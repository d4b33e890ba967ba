-- Ends a claim, unless the session has been marked or claimed since.
-- KEYS: 1 the due-list. ARGV: 1 the session, 2 the score of the claim, 3 when it is due again ('' never).
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if score and tonumber(score) == tonumber(ARGV[2]) then
  if ARGV[3] == '' then
    redis.call('ZREM', KEYS[1], ARGV[1])
  else
    redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
  end
end
return {'ok'}
