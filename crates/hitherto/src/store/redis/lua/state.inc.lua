-- What is known of the session, packed into one field: reading and writing twelve fields costs more than the rest.
local state = redis.call('HGET', KEYS[2], 'state')
local version, restart, base, last, turns, dead, bytes, made, used, ttl, max, once_day
if state then
  version = string.byte(state, 1)
  if version ~= 1 then return {'newer', version} end
  version, restart, base, last, turns, dead, bytes, made, used, ttl, max, once_day =
    struct.unpack('>BBI6I6I6I6I6I6I6I6I6I4', state)
else
  restart, base, last, turns, dead, bytes, ttl, max, once_day = 0, 0, 0, 0, 0, 0, 0, 0, 0
end
