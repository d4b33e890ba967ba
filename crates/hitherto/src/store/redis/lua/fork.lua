-- Copies a session up to a sequence number to a new one.
-- KEYS: 1 and 2 log and meta of the new one, 3 and 4 unused, 5 and 6 log and meta of the old one.
-- ARGV: 1 now, 2 the sequence number, or '' for all.
-- Gives {'ok', last seq}, {'none'}, {'exists'}, {'no message', seq} or {'newer', format}.
local m = redis.call('HMGET', KEYS[6], 'v', 'base', 'turns', 'bytes', 'dead', 'ttl')
if not m[1] then return {'none'} end
if m[1] ~= '1' then return {'newer', m[1]} end
local base = tonumber(m[2] or 0)
local length = redis.call('LLEN', KEYS[5])
local upto = ARGV[2] == '' and base + length or tonumber(ARGV[2])
if upto <= base or upto > base + length then return {'no message', tostring(upto)} end
if redis.call('EXISTS', KEYS[1], KEYS[2]) > 0 then return {'exists'} end
local turns, bytes, dead = tonumber(m[3] or 0), tonumber(m[4] or 0), tonumber(m[5] or 0)
-- What is left behind is taken off the counts, in pieces.
for from = upto - base, length - 1, 500 do
  for _, record in ipairs(redis.call('LRANGE', KEYS[5], from, math.min(from + 499, length - 1))) do
    if begins_turn(record) then turns = turns - 1 end
    if deleted(record) then dead = dead - 1 end
    bytes = bytes - #record
  end
end
redis.call('COPY', KEYS[5], KEYS[1])
redis.call('LTRIM', KEYS[1], 0, upto - base - 1)
redis.call('COPY', KEYS[6], KEYS[2])
redis.call('HSET', KEYS[2], 'last', upto, 'turns', turns, 'bytes', bytes, 'dead', dead,
  'made', ARGV[1], 'used', ARGV[1])
-- What the old session remembers of appends, the new one does not.
redis.call('HDEL', KEYS[2], 'once')
if m[6] then start_clock(m[6], nil, tonumber(ARGV[1])) end
return {'ok', upto}
