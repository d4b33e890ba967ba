-- Restarts the clock of a session that reads restart. ARGV: 1 now.
local m = redis.call('HMGET', KEYS[2], 'ttl', 'restart', 'once')
if m[1] and m[2] == 'read' then
  start_clock(m[1], m[3] and (tonumber(m[3]) + 2) * 86400000, tonumber(ARGV[1]))
end
return {'ok'}
