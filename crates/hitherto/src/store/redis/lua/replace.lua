-- Puts a record in the place of another if that still stands there.
-- ARGV: 1 now, 2 seq, 3 the old record, 4 the new one. Gives {'ok'}, {'changed'} or {'newer', format}.
local now = tonumber(ARGV[1])
local m = redis.call('HMGET', KEYS[2], 'v', 'base', 'turns', 'bytes', 'dead', 'ttl', 'restart', 'once')
if not m[1] then return {'changed'} end
if m[1] ~= '1' then return {'newer', m[1]} end
local index = tonumber(ARGV[2]) - tonumber(m[2] or 0) - 1
local old, new = ARGV[3], ARGV[4]
if index < 0 or redis.call('LINDEX', KEYS[1], index) ~= old then return {'changed'} end
redis.call('LSET', KEYS[1], index, new)
local function count(is, record) return is(record) and 1 or 0 end
redis.call('HSET', KEYS[2], 'used', now,
  'turns', tonumber(m[3] or 0) + count(begins_turn, new) - count(begins_turn, old),
  'bytes', tonumber(m[4] or 0) + #new - #old,
  'dead', tonumber(m[5] or 0) + count(deleted, new) - count(deleted, old))
if m[6] and m[7] ~= 'never' then
  start_clock(m[6], m[8] and (tonumber(m[8]) + 2) * 86400000, now)
end
return {'ok'}
