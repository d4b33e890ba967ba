-- Puts records in the place of others, all of them or none, if those still stand there.
-- KEYS: 1 log, 2 meta.
-- ARGV: 1 now, 2 the newest sequence number that the session must still have ('' any),
--       3… sequence number, old record, new record, and so on.
-- Gives {'ok', 1 if the session's summary has to be made anew, or 0}, {'changed'} or {'newer', format}.
-- Replicas acknowledge it.
-- include: state
-- include: declared
-- include: records
if not state then return {'changed'} end
if ARGV[2] ~= '' and base + redis.call('LLEN', KEYS[1]) ~= tonumber(ARGV[2]) then return {'changed'} end
for at = 3, #ARGV, 3 do
  local index = tonumber(ARGV[at]) - base - 1
  if index < 0 or redis.call('LINDEX', KEYS[1], index) ~= ARGV[at + 1] then return {'changed'} end
end
local function count(is, record) return is(record) and 1 or 0 end
for at = 3, #ARGV, 3 do
  local old, new = ARGV[at + 1], ARGV[at + 2]
  local seq = tonumber(ARGV[at])
  redis.call('LSET', KEYS[1], seq - base - 1, new)
  -- What a summary says may be wrong now; and whoever is folding this message has read what is no more.
  if seq <= upto then stale = 1 end
  if seq <= math.max(upto, lease_upto) then revision = (revision + 1) % 4294967296 end
  turns = turns + count(begins_turn, new) - count(begins_turn, old)
  bytes = bytes + #new - #old
  dead = dead + count(deleted, new) - count(deleted, old)
end
used = tonumber(ARGV[1])
-- include: save
if ttl > 0 and restart ~= 3 then
  -- include: clock
end
return {'ok', stale}
