-- Starts the clock of all keys of the session, or stops it if it has no time to live (I9). Idempotency keys
-- go when they are of no more use, or with the session, whichever is sooner.
if ttl > 0 then
  -- Once: the server prints a number slowly.
  local length_ms = string.format('%.0f', ttl)
  redis.call('PEXPIRE', KEYS[1], length_ms)
  redis.call('PEXPIRE', KEYS[2], length_ms)
else
  redis.call('PERSIST', KEYS[1])
  redis.call('PERSIST', KEYS[2])
end
if once_day > 0 then
  local left = (once_day + 2) * 86400000 - used
  if left > 0 then
    if ttl > 0 and ttl < left then left = ttl end
    -- These have the slot of the others.
    redis.call('PEXPIRE', string.sub(KEYS[2], 1, -5) .. 'once:0', left)
    redis.call('PEXPIRE', string.sub(KEYS[2], 1, -5) .. 'once:1', left)
  end
end
