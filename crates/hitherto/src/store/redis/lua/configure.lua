-- Changes settings of a session that exists, and trims it to its maximum.
-- KEYS: 1 log, 2 meta.
-- ARGV: 1 now, 2 time to live ('' as it is, '0' none, else ms), 3 what restarts it,
--       4 maximum of messages ('' as it is, '0' none), 5 'keep', 'set' or 'remove' the metadata, 6 the metadata,
--       7 to 10 the same for the policy, and its hint: turns and bytes.
-- Gives {'ok', places trimmed}, {'none'} or {'newer', format}.
-- Replicas acknowledge it.
-- include: state
-- include: declared
if not state then return {'none'} end
used = tonumber(ARGV[1])
local start = ttl > 0 and restart ~= 3
if ARGV[2] ~= '' then
  ttl, restart, start = tonumber(ARGV[2]), tonumber(ARGV[3]), true
end
if ARGV[4] ~= '' then max = tonumber(ARGV[4]) end
if ARGV[5] == 'set' then
  redis.call('HSET', KEYS[2], 'metadata', ARGV[6])
elseif ARGV[5] == 'remove' then
  redis.call('HDEL', KEYS[2], 'metadata')
end
if ARGV[7] == 'set' then
  redis.call('HSET', KEYS[2], 'policy', ARGV[8])
  own, own_turns, own_bytes = true, tonumber(ARGV[9]), tonumber(ARGV[10])
elseif ARGV[7] == 'remove' then
  redis.call('HDEL', KEYS[2], 'policy')
  own, own_turns, own_bytes = false, 0, 0
end
local length = redis.call('LLEN', KEYS[1])
-- include: trim
-- include: save
if start then
  -- include: clock
end
return {'ok', trimmed}
