-- Deletes the newest message, or the newest turn whole.
-- ARGV: 1 now, 2 'message' or 'turn'. Gives {'ok', seq, record, seq, record …}, newest first, or {'newer', format}.
local now = tonumber(ARGV[1])
local m = redis.call('HMGET', KEYS[2], 'v', 'base', 'turns', 'bytes', 'dead', 'ttl', 'restart', 'once')
if not m[1] then return {'ok'} end
if m[1] ~= '1' then return {'newer', m[1]} end
local base = tonumber(m[2] or 0)
local turns, bytes, dead = tonumber(m[3] or 0), tonumber(m[4] or 0), tonumber(m[5] or 0)
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
if #out > 1 then
  redis.call('HSET', KEYS[2], 'used', now, 'turns', turns, 'bytes', bytes, 'dead', dead)
  if m[6] and m[7] ~= 'never' then
    start_clock(m[6], m[8] and (tonumber(m[8]) + 2) * 86400000, now)
  end
end
return out
