-- Removes the oldest whole turns until the session holds no more than its maximum, never the newest turn, and
-- looks at 10,000 places at most.
local trimmed = 0
if max > 0 and length - dead > max then
  -- include: records
  local excess = length - dead - max
  local cut_turns, cut_dead, cut_bytes = 0, 0, 0
  local gone, old_turns, old_dead, old_bytes = 0, 0, 0, 0
  for at = 0, 9999 do
    local record = redis.call('LINDEX', KEYS[1], at)
    if not record then break end
    if begins_turn(record) then
      if at > 0 then
        trimmed, cut_turns, cut_dead, cut_bytes = at, old_turns, old_dead, old_bytes
        if gone >= excess then break end
      end
      old_turns = old_turns + 1
    end
    if deleted(record) then old_dead = old_dead + 1 else gone = gone + 1 end
    old_bytes = old_bytes + #record
  end
  if trimmed > 0 then
    redis.call('LTRIM', KEYS[1], trimmed, -1)
    base, turns, dead, bytes = base + trimmed, turns - cut_turns, dead - cut_dead, bytes - cut_bytes
    if base < upto then
      sum_turns, sum_bytes = math.max(sum_turns - cut_turns, 0), math.max(sum_bytes - cut_bytes, 0)
    else
      sum_turns, sum_bytes = 0, 0
    end
  end
end
