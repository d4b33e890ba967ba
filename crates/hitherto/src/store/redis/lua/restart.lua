-- Restarts the clock of a session that reads restart. ARGV: 1 now.
if read_state() == 'ok' and ttl > 0 and restart == 2 then
  used = tonumber(ARGV[1])
  start_clock()
end
return {'ok'}
