-- Removes a session and everything that belongs to it.
-- KEYS: 1 log, 2 meta. Gives {'ok', messages}, {'none'} or {'newer', format}.
-- Replicas acknowledge it.
-- include: state
-- include: declared
local length = redis.call('LLEN', KEYS[1])
local gone = redis.call('UNLINK', KEYS[1], KEYS[2])
if once_day > 0 then
  local stem = string.sub(KEYS[2], 1, -5) .. 'once:'
  gone = gone + redis.call('UNLINK', stem .. '0', stem .. '1')
end
if gone == 0 then return {'none'} end
return {'ok', length - dead}
