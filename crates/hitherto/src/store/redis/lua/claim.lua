-- Claims sessions of the due-list that stand as they were seen.
-- KEYS: 1 the list. ARGV: 1 the score of a claim, then pairs of session and the score that was seen.
-- Gives 1 or 0 for each.
local claimed = {}
for at = 2, #ARGV, 2 do
  local score = redis.call('ZSCORE', KEYS[1], ARGV[at])
  if score and tonumber(score) == tonumber(ARGV[at + 1]) then
    redis.call('ZADD', KEYS[1], ARGV[1], ARGV[at])
    claimed[#claimed + 1] = 1
  else
    claimed[#claimed + 1] = 0
  end
end
return claimed
