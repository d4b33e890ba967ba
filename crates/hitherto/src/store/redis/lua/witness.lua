-- Looks at the witness of the server's memory, and makes it where there is none.
-- KEYS: 1 the witness. ARGV: 1 an id for a new one, 2 now, 3 the id that it is known by ('' not known).
-- Gives its id.
local id = redis.call('HGET', KEYS[1], 'id')
if not id then
  id = ARGV[1]
  redis.call('HSET', KEYS[1], 'id', id, 'since', ARGV[2])
end
-- It is another one than there was: everything is gone. Who notices first says when.
if ARGV[3] ~= '' and id ~= ARGV[3] and not redis.call('HGET', KEYS[1], 'lost') then
  redis.call('HSET', KEYS[1], 'lost', ARGV[2])
end
return id
