-- Reads what a transaction reads, on a server that is full: such a one takes no transactions, for queuing costs memory.
-- KEYS: what is read. ARGV: for each command, how many words it has, then the words.
-- Gives the answers.
local answers, at = {}, 1
while at <= #ARGV do
  local words = tonumber(ARGV[at])
  answers[#answers + 1] = redis.call(unpack(ARGV, at + 1, at + words))
  at = at + words + 1
end
return answers
