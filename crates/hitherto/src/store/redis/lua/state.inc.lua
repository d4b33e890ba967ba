-- What is known of the session, packed into one field: reading and writing twenty fields costs more than the rest.
local state = redis.call('HGET', KEYS[2], 'state')
local version, restart, base, last, turns, dead, bytes, made, used, ttl, max, once_day
local sum_id, upto, sum_turns, sum_bytes, stale, failures, lease_upto, revision, own_turns, own_bytes
if state then
  version = string.byte(state, 1)
  if version == 2 then
    version, restart, base, last, turns, dead, bytes, made, used, ttl, max, once_day,
      sum_id, upto, sum_turns, sum_bytes, stale, failures, lease_upto, revision, own_turns, own_bytes =
      struct.unpack('>BBI6I6I6I6I6I6I6I6I6I4c16I6I6I6BBI6I4I4I6', state)
  elseif version == 1 then
    version, restart, base, last, turns, dead, bytes, made, used, ttl, max, once_day =
      struct.unpack('>BBI6I6I6I6I6I6I6I6I6I4', state)
  else
    return {'newer', version}
  end
else
  restart, base, last, turns, dead, bytes, ttl, max, once_day = 0, 0, 0, 0, 0, 0, 0, 0, 0
end
local own = false
if upto then
  -- One byte for two: whether the summary is stale, and whether the session has a hint of its own.
  own, stale = stale >= 2, stale % 2
else
  -- A session of version 1, or a new one: nothing is folded.
  sum_id, upto, sum_turns, sum_bytes, stale = string.rep('\0', 16), 0, 0, 0, 0
  failures, lease_upto, revision, own_turns, own_bytes = 0, 0, 0, 0, 0
end
