-- Makes a session of a copy that has arrived.
-- KEYS: 1 and 2 log and meta of the session, 3 the copy of the log.
-- ARGV: 1 now, 2 how many records the copy has to have, then fields of the hash and their values.
-- Replicas acknowledge it.
-- Gives {'ok'}, {'exists'} or {'lost'}.
if redis.call('EXISTS', KEYS[1], KEYS[2]) > 0 then return {'exists'} end
if redis.call('LLEN', KEYS[3]) ~= tonumber(ARGV[2]) then return {'lost'} end
redis.call('RENAME', KEYS[3], KEYS[1])
redis.call('PERSIST', KEYS[1])
redis.call('HSET', KEYS[2], unpack(ARGV, 3))
-- include: state
if ttl > 0 then
  used = tonumber(ARGV[1])
  -- include: clock
end
return {'ok'}
