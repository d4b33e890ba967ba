-- Tells the list of a user of a session that is about to be the user's.
-- KEYS: 1 the list, 2 what stands while it is about to be. ARGV: 1 the session, 2 its activity.
-- Whoever takes a session off looks first whether the score is the one that was seen, so it changes in any case.
local seen = redis.call('ZSCORE', KEYS[1], ARGV[1])
local score = tonumber(ARGV[2])
if seen then score = math.max(score, tonumber(seen) + 1) end
redis.call('ZADD', KEYS[1], string.format('%.0f', score), ARGV[1])
redis.call('INCR', KEYS[2])
-- Longer than any call takes: after that, whoever told is gone.
redis.call('PEXPIRE', KEYS[2], 60000)
return {'ok'}
