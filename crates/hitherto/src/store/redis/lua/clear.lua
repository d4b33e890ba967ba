-- Removes a session and everything that belongs to it.
-- KEYS: 1 log, 2 meta. Gives {'ok', messages}, {'none'} or {'newer', format}.
-- include: state
local length = redis.call('LLEN', KEYS[1])
local stem = string.sub(KEYS[2], 1, -5) .. 'once:'
if redis.call('UNLINK', KEYS[1], KEYS[2], stem .. '0', stem .. '1') == 0 then return {'none'} end
return {'ok', length - dead}
