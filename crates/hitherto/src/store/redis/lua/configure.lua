-- Changes settings of a session that exists, and trims it to its maximum.
-- ARGV: 1 now, 2 time to live ('' as it is, '0' none, else ms), 3 what restarts it,
--       4 maximum of messages ('' as it is, '0' none), 5 'keep', 'set' or 'remove' the metadata, 6 the metadata.
-- Gives {'ok', places trimmed}, {'none'} or {'newer', format}.
local now = tonumber(ARGV[1])
local m = redis.call('HMGET', KEYS[2], 'v', 'base', 'turns', 'bytes', 'dead', 'ttl', 'restart', 'once', 'max')
if not m[1] then return {'none'} end
if m[1] ~= '1' then return {'newer', m[1]} end
local ttl, start = m[6], m[6] and m[7] ~= 'never'
if ARGV[2] == '0' then
  redis.call('HDEL', KEYS[2], 'ttl', 'restart')
  ttl, start = false, true
elseif ARGV[2] ~= '' then
  redis.call('HSET', KEYS[2], 'ttl', ARGV[2], 'restart', ARGV[3])
  ttl, start = ARGV[2], true
end
local max = m[9]
if ARGV[4] == '0' then
  redis.call('HDEL', KEYS[2], 'max')
  max = false
elseif ARGV[4] ~= '' then
  redis.call('HSET', KEYS[2], 'max', ARGV[4])
  max = ARGV[4]
end
if ARGV[5] == 'set' then
  redis.call('HSET', KEYS[2], 'metadata', ARGV[6])
elseif ARGV[5] == 'remove' then
  redis.call('HDEL', KEYS[2], 'metadata')
end
redis.call('HSET', KEYS[2], 'used', now)
local cut = 0
if max then
  local dead = tonumber(m[5] or 0)
  local excess = redis.call('LLEN', KEYS[1]) - dead - tonumber(max)
  if excess > 0 then
    local cut_turns, cut_dead, cut_bytes
    cut, cut_turns, cut_dead, cut_bytes = trim(excess)
    redis.call('HSET', KEYS[2], 'base', tonumber(m[2] or 0) + cut, 'turns', tonumber(m[3] or 0) - cut_turns,
      'bytes', tonumber(m[4] or 0) - cut_bytes, 'dead', dead - cut_dead)
  end
end
if start then start_clock(ttl, m[8] and (tonumber(m[8]) + 2) * 86400000, now) end
return {'ok', cut}
