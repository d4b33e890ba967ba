-- Deletes the newest message, or the newest turn whole.
-- ARGV: 1 now, 2 'message' or 'turn'. Gives {'ok', seq, record, seq, record …}, newest first, or {'newer', format}.
local known = read_state()
if known == 'newer' then return {known, version} end
local out = {'ok'}
for index = redis.call('LLEN', KEYS[1]) - 1, 0, -1 do
  local record = redis.call('LINDEX', KEYS[1], index)
  -- What is no record of this format is passed over and stays.
  if string.byte(record, 1) == 72 and string.byte(record, 2) == 1 and not deleted(record) then
    local left = string.sub(record, 1, 3) .. '\1' .. string.sub(record, 5, 29) .. '\0\0\0\0'
    redis.call('LSET', KEYS[1], index, left)
    out[#out + 1] = base + index + 1
    out[#out + 1] = record
    dead = dead + 1
    bytes = bytes + #left - #record
    local first = begins_turn(record)
    if first then turns = turns - 1 end
    if first or ARGV[2] == 'message' then break end
  end
end
if #out > 1 and known == 'ok' then
  used = tonumber(ARGV[1])
  write_state()
  if ttl > 0 and restart ~= NEVER then start_clock() end
end
return out
