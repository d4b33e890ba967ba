-- Removes a session and everything that belongs to it, if it is that user's.
-- KEYS: 1 log, 2 meta. ARGV: 1 the user.
-- Replicas acknowledge it.
-- Gives {'ok', messages, bytes}, {'none'}, {'other'} if it is not the user's, or {'newer', format}.
local user = redis.call('HGET', KEYS[2], 'user')
if user ~= ARGV[1] then
  return {redis.call('EXISTS', KEYS[1], KEYS[2]) > 0 and 'other' or 'none'}
end
-- include: state
-- include: declared
local length = redis.call('LLEN', KEYS[1])
redis.call('UNLINK', KEYS[1], KEYS[2])
if once_day > 0 then
  local stem = string.sub(KEYS[2], 1, -5) .. 'once:'
  redis.call('UNLINK', stem .. '0', stem .. '1')
end
return {'ok', length - dead, string.format('%.0f', bytes)}
