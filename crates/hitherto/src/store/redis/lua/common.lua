-- What every script that writes begins with.
-- KEYS: 1 log, 2 meta, 3 and 4 the idempotency keys of this day and of the day before.

-- A deleted place: a record of ours whose first flag is set.
local function deleted(record)
  return string.byte(record, 1) == 72 and string.byte(record, 2) == 1 and string.byte(record, 4) % 2 == 1
end

-- A place where a turn begins: a user's message that is not deleted.
local function begins_turn(record)
  return string.byte(record, 3) == 117 and string.byte(record, 1) == 72
    and string.byte(record, 2) == 1 and string.byte(record, 4) % 2 == 0
end

-- Starts the clock of all keys of the session, or stops it (I9). `once_until` is when the idempotency keys
-- are of no more use: they go then, or with the session, whichever is sooner.
local function start_clock(ttl, once_until, now)
  if ttl then
    redis.call('PEXPIRE', KEYS[1], ttl)
    redis.call('PEXPIRE', KEYS[2], ttl)
  else
    redis.call('PERSIST', KEYS[1])
    redis.call('PERSIST', KEYS[2])
  end
  local left = (once_until or 0) - now
  if left > 0 then
    if ttl and tonumber(ttl) < left then left = tonumber(ttl) end
    redis.call('PEXPIRE', KEYS[3], left)
    redis.call('PEXPIRE', KEYS[4], left)
  end
end

-- Removes the oldest whole turns until `excess` messages are gone, never the newest turn, and looks at
-- 10,000 places at most. Gives how many places went, and how many turns, deleted places and bytes.
local function trim(excess)
  local cut, cut_turns, cut_dead, cut_bytes = 0, 0, 0, 0
  local gone, turns, dead, bytes, at = 0, 0, 0, 0, 0
  while at < 10000 do
    local record = redis.call('LINDEX', KEYS[1], at)
    if not record then break end
    if begins_turn(record) then
      if at > 0 then
        cut, cut_turns, cut_dead, cut_bytes = at, turns, dead, bytes
        if gone >= excess then break end
      end
      turns = turns + 1
    end
    if deleted(record) then dead = dead + 1 else gone = gone + 1 end
    bytes = bytes + #record
    at = at + 1
  end
  if cut > 0 then redis.call('LTRIM', KEYS[1], cut, -1) end
  return cut, cut_turns, cut_dead, cut_bytes
end
