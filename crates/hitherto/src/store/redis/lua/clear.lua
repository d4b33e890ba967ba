-- Removes a session and everything that belongs to it. Gives {'ok', messages} or {'none'}.
local known = read_state()
if known == 'newer' then return {known, version} end
local length = redis.call('LLEN', KEYS[1])
if redis.call('UNLINK', KEYS[1], KEYS[2], once_key(0), once_key(1)) == 0 then return {'none'} end
return {'ok', length - dead}
