-- Ends what `tell` began, once the session is the user's or is not going to be.
-- KEYS: 1 what stands while it is about to be.
if redis.call('EXISTS', KEYS[1]) == 1 and redis.call('DECR', KEYS[1]) <= 0 then
  redis.call('DEL', KEYS[1])
end
return {'ok'}
