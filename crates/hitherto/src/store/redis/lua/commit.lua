-- Puts a summary in the place of the one that is expected there (I4). It is no activity of the session.
-- KEYS: 1 log, 2 meta.
-- ARGV: 1 the id of the summary that must stand there (zeroes for none),
--       2 the token of the lease under which the new one was made ('' for none),
--       3 packed: 1 if the new one is stale, and how often folding counts as failed,
--       4 the summary, 5 the one before it ('' for none).
-- Gives {'ok'}, {'changed'} or {'newer', format}.
-- include: state
if not state or sum_id ~= ARGV[1] then return {'changed'} end
if ARGV[2] ~= '' then
  local lease = redis.call('HGET', KEYS[2], 'lease')
  if not lease or string.sub(lease, 1, 16) ~= ARGV[2] then return {'changed'} end
  local _, began = struct.unpack('>I6I4', lease, 17)
  if began ~= revision then return {'changed'} end
end
local new_id, new_upto, new_turns, new_bytes = struct.unpack('>c16I6I6I6', ARGV[4], 2)
if new_upto > last then return {'changed'} end
sum_id, upto, sum_turns, sum_bytes = new_id, new_upto, new_turns, new_bytes
stale, failures = struct.unpack('>BB', ARGV[3])
redis.call('HSET', KEYS[2], 'summary', ARGV[4])
if ARGV[5] == '' then
  redis.call('HDEL', KEYS[2], 'previous')
else
  redis.call('HSET', KEYS[2], 'previous', ARGV[5])
end
-- include: save
return {'ok'}
