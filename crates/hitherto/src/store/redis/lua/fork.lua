-- Copies a session up to a sequence number to a new one.
-- KEYS: 1 and 2 log and meta of the old one, 3 and 4 of the new one.
-- ARGV: 1 now, 2 the sequence number, or '' for all, 3 how long the new one lives whatever the old one does, in ms: for
--       a copy that nobody sees, or ''.
-- Replicas acknowledge it.
-- Gives {'ok', last seq}, {'none'}, {'exists'}, {'no message', seq} or {'newer', format}.
-- include: state
-- include: records
if not state then return {'none'} end
local length = redis.call('LLEN', KEYS[1])
local to = ARGV[2] == '' and base + length or tonumber(ARGV[2])
if to <= base or to > base + length then return {'no message', string.format('%.0f', to)} end
if redis.call('EXISTS', KEYS[3], KEYS[4]) > 0 then return {'exists'} end
-- What is left behind is taken off the counts, in pieces.
for from = to - base, length - 1, 500 do
  for _, record in ipairs(redis.call('LRANGE', KEYS[1], from, math.min(from + 499, length - 1))) do
    if begins_turn(record) then turns = turns - 1 end
    if deleted(record) then dead = dead - 1 end
    bytes = bytes - #record
  end
end
redis.call('COPY', KEYS[1], KEYS[3])
redis.call('COPY', KEYS[2], KEYS[4])
redis.call('LTRIM', KEYS[3], 0, to - base - 1)
-- From here on the new session is meant. What the old one remembers of appends, it does not.
KEYS[1], KEYS[2] = KEYS[3], KEYS[4]
last, once_day = to, 0
redis.call('HDEL', KEYS[2], 'lease')
failures, lease_upto = 0, 0
-- A summary of more than was copied stays behind; the one before it may be of less.
local before = redis.call('HGET', KEYS[2], 'previous')
local before_id, before_upto, before_turns, before_bytes
if before then before_id, before_upto, before_turns, before_bytes = struct.unpack('>c16I6I6I6', before, 2) end
if upto > to then
  redis.call('HDEL', KEYS[2], 'summary', 'previous')
  sum_id, upto, sum_turns, sum_bytes = string.rep('\0', 16), 0, 0, 0
  if before and before_upto <= to then
    redis.call('HSET', KEYS[2], 'summary', before)
    sum_id, upto, sum_turns, sum_bytes = before_id, before_upto, before_turns, before_bytes
  else
    stale = 0
  end
elseif before and before_upto > to then
  redis.call('HDEL', KEYS[2], 'previous')
end
used = tonumber(ARGV[1])
made = used
-- include: save
if ARGV[3] ~= '' then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  redis.call('PEXPIRE', KEYS[2], ARGV[3])
elseif ttl > 0 then
  -- include: clock
end
return {'ok', to}
