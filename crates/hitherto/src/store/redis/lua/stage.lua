-- Adds records to a copy on its way, unless they are there already.
-- KEYS: 1 the copy. ARGV: 1 how many it has to have before, 2 how long it lives, in ms, then records.
-- Gives how many it has then.
local length = redis.call('LLEN', KEYS[1])
if length == tonumber(ARGV[1]) then length = redis.call('RPUSH', KEYS[1], unpack(ARGV, 3)) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return length
