-- Appends records, all or none.
-- KEYS: 1 log, 2 meta.
-- ARGV: 1 packed, as few arguments are cheap: now, turns that begin in the records, their bytes;
--         1 if the time to live changes, 2 if its clock starts whatever it was, to what in ms (0 none), and what
--         restarts it;
--         1 if the maximum of messages changes, to what (0 none);
--         1 if there is an idempotency key, and the day;
--         1 if somebody folds, and from how many turns and bytes on that no summary covers;
--         1 if it is asked how many messages there are then;
--       with an idempotency key: it, and its fingerprint with the first record's id;
--       then records.
-- Gives the first sequence number, 2^50 more if the session is due for folding, 2^51 more if it was asked and there
-- are as many messages as the last number says, negative if it is new; or that with the number of messages; or
-- {'repeat', what was remembered} or {'newer', format}.
-- Replicas acknowledge it.
-- include: state
-- include: declared

local now, new_turns, new_bytes, set_ttl, new_ttl, new_restart, set_max, new_max, has_once, day,
  folds, due_turns, due_bytes, counts = struct.unpack('>I6I4I6BI6BBI6BI4BI4I6B', ARGV[1])
local records = has_once == 1 and 4 or 2
local once, once_key = ARGV[2], nil
if has_once == 1 then
  local stem = string.sub(KEYS[2], 1, -5) .. 'once:'
  once_key = stem .. day % 2
  if once_day > 0 and day > once_day then
    -- A new day takes over the key of the day before yesterday.
    redis.call('DEL', once_key)
    if day > once_day + 1 then redis.call('DEL', stem .. (day - 1) % 2) end
  end
  for _, key in ipairs({stem .. '0', stem .. '1'}) do
    local seen = redis.call('HGET', key, once)
    if seen then
      -- A write that changes nothing: replicas that are waited for have the first append, too, once they have this.
      redis.call('PEXPIRE', key, math.max(redis.call('PTTL', key), 1))
      return {'repeat', seen}
    end
  end
end

local count = #ARGV - records + 1
local length = redis.call('RPUSH', KEYS[1], unpack(ARGV, records))
-- Places that were given are never given again, even where the server has lost the list.
local lost = last + count - base - length
if lost > 0 then base = base + lost end
last = base + length
local first = last - count + 1
turns = turns + new_turns
bytes = bytes + new_bytes
used = now
made = made or now

local start = ttl > 0 and restart ~= 3
if set_ttl > 0 then
  if new_ttl > 0 then
    start = set_ttl == 2 or not (new_restart == 3 and restart == 3 and ttl == new_ttl)
  else
    start = ttl > 0
  end
  ttl, restart = new_ttl, new_restart
end
if set_max == 1 then max = new_max end
-- include: trim

if has_once == 1 then
  if day > once_day then once_day = day end
  redis.call('HSET', once_key, once, ARGV[3] .. string.format('%.0f', first))
end
-- include: save
if start then
  -- include: clock
elseif ttl > 0 and length == count then
  -- The list is new under an old clock.
  redis.call('PEXPIRE', KEYS[1], redis.call('PTTL', KEYS[2]))
end
if has_once == 1 and not (start and ttl > 0) then
  local left = (once_day + 2) * 86400000 - used
  if ttl > 0 then left = math.min(left, math.max(redis.call('PTTL', KEYS[2]), 1)) end
  redis.call('PEXPIRE', once_key, left)
end
if folds == 1 then
  if own then due_turns, due_bytes = own_turns, own_bytes end
  -- Both as large as they can be: nothing is folded.
  if (due_turns < 4294967295 or due_bytes < 281474976710655)
    and (stale == 1 or turns - sum_turns >= due_turns or bytes - sum_bytes >= due_bytes) then
    first = first + 1125899906842624
  end
end
local whole = length - trimmed - dead == last
-- A session of which nothing is gone has as many messages as its last number says.
if counts == 1 and whole then first = first + 2251799813685248 end
if not state then first = -first end
if counts == 1 and not whole then return {first, length - trimmed - dead} end
return first
