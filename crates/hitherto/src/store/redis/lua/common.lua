-- What every script begins with. KEYS: 1 log, 2 meta.

-- What is known of the session, packed into one field: reading and writing ten costs more than the rest.
local STATE = '>BBI6I6I6I6I6I6I6I6I6I4'
local version, restart, base, last, turns, dead, bytes, made, used, ttl, max, once_day

-- What restarts the clock.
local NEVER = 3

-- Reads the state: 'none' if there is no session, 'newer' if it has a newer format, else 'ok'.
local function read_state()
  local state = redis.call('HGET', KEYS[2], 'state')
  if not state then
    base, last, turns, dead, bytes, ttl, max, once_day, restart = 0, 0, 0, 0, 0, 0, 0, 0, 0
    return 'none'
  end
  version = string.byte(state, 1)
  if version ~= 1 then return 'newer' end
  version, restart, base, last, turns, dead, bytes, made, used, ttl, max, once_day = struct.unpack(STATE, state)
  return 'ok'
end

local function write_state()
  redis.call('HSET', KEYS[2], 'state',
    struct.pack(STATE, 1, restart, base, last, turns, dead, bytes, made, used, ttl, max, once_day))
end

-- The key of the idempotency keys of a day; it has the slot of the others.
local function once_key(day)
  return string.sub(KEYS[2], 1, -5) .. 'once:' .. day % 2
end

-- A deleted place: a record of ours whose first flag is set.
local function deleted(record)
  return string.byte(record, 1) == 72 and string.byte(record, 2) == 1 and string.byte(record, 4) % 2 == 1
end

-- A place where a turn begins: a user's message that is not deleted.
local function begins_turn(record)
  return string.byte(record, 3) == 117 and string.byte(record, 1) == 72
    and string.byte(record, 2) == 1 and string.byte(record, 4) % 2 == 0
end

-- Starts the clock of all keys of the session, or stops it if it has no time to live (I9). Idempotency keys
-- go when they are of no more use, or with the session, whichever is sooner.
local function start_clock()
  if ttl > 0 then
    redis.call('PEXPIRE', KEYS[1], ttl)
    redis.call('PEXPIRE', KEYS[2], ttl)
  else
    redis.call('PERSIST', KEYS[1])
    redis.call('PERSIST', KEYS[2])
  end
  if once_day > 0 then
    local left = (once_day + 2) * 86400000 - used
    if left > 0 then
      if ttl > 0 and ttl < left then left = ttl end
      redis.call('PEXPIRE', once_key(0), left)
      redis.call('PEXPIRE', once_key(1), left)
    end
  end
end

-- Removes the oldest whole turns until the session holds no more than its maximum, never the newest turn, and
-- looks at 10,000 places at most. Gives how many places went.
local function trim(length)
  local excess = length - dead - max
  if max == 0 or excess <= 0 then return 0 end
  local cut, cut_turns, cut_dead, cut_bytes = 0, 0, 0, 0
  local gone, old_turns, old_dead, old_bytes, at = 0, 0, 0, 0, 0
  while at < 10000 do
    local record = redis.call('LINDEX', KEYS[1], at)
    if not record then break end
    if begins_turn(record) then
      if at > 0 then
        cut, cut_turns, cut_dead, cut_bytes = at, old_turns, old_dead, old_bytes
        if gone >= excess then break end
      end
      old_turns = old_turns + 1
    end
    if deleted(record) then old_dead = old_dead + 1 else gone = gone + 1 end
    old_bytes = old_bytes + #record
    at = at + 1
  end
  if cut > 0 then
    redis.call('LTRIM', KEYS[1], cut, -1)
    base, turns, dead, bytes = base + cut, turns - cut_turns, dead - cut_dead, bytes - cut_bytes
  end
  return cut
end
