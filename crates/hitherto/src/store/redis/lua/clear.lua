-- Removes a session and everything that belongs to it. Gives {'ok', messages} or {'none'}.
local dead = redis.call('HGET', KEYS[2], 'dead')
local length = redis.call('LLEN', KEYS[1])
if redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4]) == 0 then return {'none'} end
return {'ok', length - tonumber(dead or 0)}
