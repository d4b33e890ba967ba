-- Restarts the clock of a session that reads restart. KEYS: 1 log, 2 meta. ARGV: 1 now.
-- include: state
-- include: declared
if state and ttl > 0 and restart == 2 then
  used = tonumber(ARGV[1])
  -- include: clock
end
return {'ok'}
