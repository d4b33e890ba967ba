-- Takes the lease for folding a session, or lengthens it for who holds it.
-- KEYS: 1 log, 2 meta.
-- ARGV: 1 now, 2 token, 3 when the lease ends, 4 the last message that will be folded,
--       5 the id of the summary that must stand there (zeroes for none).
-- Gives {'yours', failures}, {'busy', until then}, {'changed'} or {'newer', format}.
-- include: state
if not state or sum_id ~= ARGV[5] then return {'changed'} end
local seen = revision
local lease = redis.call('HGET', KEYS[2], 'lease')
if lease then
  local ends, began = struct.unpack('>I6I4', lease, 17)
  if string.sub(lease, 1, 16) == ARGV[2] then
    -- What has changed since its first beginning has changed.
    seen = began
    lease_upto = math.max(lease_upto, tonumber(ARGV[4]))
  elseif ends > tonumber(ARGV[1]) then
    return {'busy', string.format('%.0f', ends)}
  else
    lease = nil
  end
end
if not lease then lease_upto = tonumber(ARGV[4]) end
redis.call('HSET', KEYS[2], 'lease', ARGV[2] .. struct.pack('>I6I4', tonumber(ARGV[3]), seen))
-- include: save
return {'yours', failures}
