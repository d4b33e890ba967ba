-- Appends records, all or none.
-- ARGV: 1 now, 2 turns that begin in the records, 3 their bytes,
--       4 time to live ('' as it is, '0' none, else ms), 5 what restarts it,
--       6 maximum of messages ('' as it is, '0' none),
--       7 idempotency key ('' none), 8 its fingerprint and the first record's id, 9 the day,
--       10… records.
-- Gives {'ok', first seq, 1 if the session is new}, {'repeat', what was remembered} or {'newer', format}.
local now = tonumber(ARGV[1])
local m = redis.call('HMGET', KEYS[2], 'v', 'base', 'last', 'turns', 'bytes', 'ttl', 'restart', 'max', 'dead', 'once')
local known = m[1]
if known and known ~= '1' then return {'newer', known} end
local day_ms = 86400000
local once_day = tonumber(m[10] or -1)

local once = ARGV[7]
if once ~= '' then
  local day = tonumber(ARGV[9])
  if once_day >= 0 and day > once_day then
    -- A new day takes over the keys of the day before yesterday.
    redis.call('DEL', KEYS[3])
    if day > once_day + 1 then redis.call('DEL', KEYS[4]) end
  end
  local seen = redis.call('HGET', KEYS[3], once) or redis.call('HGET', KEYS[4], once)
  if seen then return {'repeat', seen} end
  if day > once_day then once_day = day end
end

local count = #ARGV - 9
local length = redis.call('RPUSH', KEYS[1], unpack(ARGV, 10))
local base = tonumber(m[2] or 0)
-- Places that were given are never given again, even where the server has lost the list.
local lost = tonumber(m[3] or 0) + count - base - length
if lost > 0 then base = base + lost end
local first = base + length - count + 1
local turns = tonumber(m[4] or 0) + tonumber(ARGV[2])
local bytes = tonumber(m[5] or 0) + tonumber(ARGV[3])

local set = {'last', base + length, 'used', now}
if not known then
  set[5], set[6], set[7], set[8] = 'v', 1, 'made', now
end

local ttl, restart = m[6], m[7]
local start = restart ~= 'never' and ttl
if ARGV[4] == '0' then
  if ttl then redis.call('HDEL', KEYS[2], 'ttl', 'restart') end
  start = ttl
  ttl = false
elseif ARGV[4] ~= '' then
  start = not (ARGV[5] == 'never' and restart == 'never' and ttl == ARGV[4])
  if ttl ~= ARGV[4] or restart ~= ARGV[5] then
    ttl, restart = ARGV[4], ARGV[5]
    set[#set + 1] = 'ttl'; set[#set + 1] = ttl
    set[#set + 1] = 'restart'; set[#set + 1] = restart
  end
end

local max = m[8]
if ARGV[6] == '0' then
  if max then redis.call('HDEL', KEYS[2], 'max') end
  max = false
elseif ARGV[6] ~= '' and ARGV[6] ~= max then
  max = ARGV[6]
  set[#set + 1] = 'max'; set[#set + 1] = max
end
if max then
  local dead = tonumber(m[9] or 0)
  local excess = length - dead - tonumber(max)
  if excess > 0 then
    local cut, cut_turns, cut_dead, cut_bytes = trim(excess)
    base, turns, bytes = base + cut, turns - cut_turns, bytes - cut_bytes
    if cut_dead > 0 then set[#set + 1] = 'dead'; set[#set + 1] = dead - cut_dead end
  end
end
if base ~= tonumber(m[2] or 0) then set[#set + 1] = 'base'; set[#set + 1] = base end
set[#set + 1] = 'turns'; set[#set + 1] = turns
set[#set + 1] = 'bytes'; set[#set + 1] = bytes

if once ~= '' then
  redis.call('HSET', KEYS[3], once, ARGV[8] .. first)
  set[#set + 1] = 'once'; set[#set + 1] = once_day
end
redis.call('HSET', KEYS[2], unpack(set))

local once_until = once_day >= 0 and (once_day + 2) * day_ms or nil
if start then
  start_clock(ttl, once_until, now)
elseif ttl and length == count and known then
  -- The list is new under an old clock.
  redis.call('PEXPIRE', KEYS[1], redis.call('PTTL', KEYS[2]))
end
if once ~= '' and not (start and ttl) then
  local left = once_until - now
  if ttl then left = math.min(left, math.max(redis.call('PTTL', KEYS[2]), 1)) end
  redis.call('PEXPIRE', KEYS[3], left)
end
return {'ok', first, known and 0 or 1}
