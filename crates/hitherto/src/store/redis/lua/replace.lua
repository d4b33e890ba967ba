-- Puts a record in the place of another if that still stands there.
-- ARGV: 1 now, 2 seq, 3 the old record, 4 the new one. Gives {'ok'}, {'changed'} or {'newer', format}.
local known = read_state()
if known == 'newer' then return {known, version} end
local index = tonumber(ARGV[2]) - base - 1
local old, new = ARGV[3], ARGV[4]
if known == 'none' or index < 0 or redis.call('LINDEX', KEYS[1], index) ~= old then return {'changed'} end
redis.call('LSET', KEYS[1], index, new)
local function count(is, record) return is(record) and 1 or 0 end
used = tonumber(ARGV[1])
turns = turns + count(begins_turn, new) - count(begins_turn, old)
bytes = bytes + #new - #old
dead = dead + count(deleted, new) - count(deleted, old)
write_state()
if ttl > 0 and restart ~= NEVER then start_clock() end
return {'ok'}
