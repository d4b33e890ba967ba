-- Appends records, all or none.
-- KEYS: 1 log, 2 meta.
-- ARGV: 1 now, 2 turns that begin in the records, 3 their bytes,
--       4 time to live ('' as it is, '0' none, else ms), 5 what restarts it,
--       6 maximum of messages ('' as it is, '0' none),
--       7 idempotency key ('' none), 8 its fingerprint and the first record's id, 9 the day,
--       10… records.
-- Gives {'ok', first seq, 1 if the session is new}, {'repeat', what was remembered} or {'newer', format}.
-- include: state

local once, day, once_key = ARGV[7], nil, nil
if once ~= '' then
  day = tonumber(ARGV[9])
  local stem = string.sub(KEYS[2], 1, -5) .. 'once:'
  once_key = stem .. day % 2
  if once_day > 0 and day > once_day then
    -- A new day takes over the key of the day before yesterday.
    redis.call('DEL', once_key)
    if day > once_day + 1 then redis.call('DEL', stem .. (day - 1) % 2) end
  end
  local seen = redis.call('HGET', stem .. '0', once) or redis.call('HGET', stem .. '1', once)
  if seen then return {'repeat', seen} end
end

local count = #ARGV - 9
local length = redis.call('RPUSH', KEYS[1], unpack(ARGV, 10))
-- Places that were given are never given again, even where the server has lost the list.
local lost = last + count - base - length
if lost > 0 then base = base + lost end
last = base + length
local first = last - count + 1
turns = turns + tonumber(ARGV[2])
bytes = bytes + tonumber(ARGV[3])
used = tonumber(ARGV[1])
made = made or used

local start = ttl > 0 and restart ~= 3
if ARGV[4] == '0' then
  start = ttl > 0
  ttl, restart = 0, 0
elseif ARGV[4] ~= '' then
  local new_ttl, new_restart = tonumber(ARGV[4]), tonumber(ARGV[5])
  start = not (new_restart == 3 and restart == 3 and ttl == new_ttl)
  ttl, restart = new_ttl, new_restart
end
if ARGV[6] ~= '' then max = tonumber(ARGV[6]) end
-- include: trim

if once ~= '' then
  if day > once_day then once_day = day end
  redis.call('HSET', once_key, once, ARGV[8] .. string.format('%.0f', first))
end
-- include: save
if start then
  -- include: clock
elseif ttl > 0 and length == count then
  -- The list is new under an old clock.
  redis.call('PEXPIRE', KEYS[1], redis.call('PTTL', KEYS[2]))
end
if once ~= '' and not (start and ttl > 0) then
  local left = (once_day + 2) * 86400000 - used
  if ttl > 0 then left = math.min(left, math.max(redis.call('PTTL', KEYS[2]), 1)) end
  redis.call('PEXPIRE', once_key, left)
end
return {'ok', first, state and 0 or 1}
