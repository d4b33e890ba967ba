-- Puts a credential in the place of the one that was seen.
-- KEYS: 1 the hash of credentials. ARGV: 1 the hash of the token, 2 what was seen there, 3 what is put there.
-- Replicas acknowledge it.
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return {'changed'}
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return {'ok'}
