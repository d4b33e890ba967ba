-- Gives the lease for folding a session back, and counts a failure.
-- KEYS: 1 log, 2 meta. ARGV: 1 token, 2 1 if folding failed, or 0.
-- include: state
local lease = state and redis.call('HGET', KEYS[2], 'lease')
if lease and string.sub(lease, 1, 16) == ARGV[1] then
  redis.call('HDEL', KEYS[2], 'lease')
  lease_upto = 0
  failures = math.min(failures + tonumber(ARGV[2]), 255)
  -- include: save
end
return {'ok'}
