-- A deleted place: a record of ours whose first flag is set.
local function deleted(record)
  return string.byte(record, 1) == 72 and string.byte(record, 2) == 1 and string.byte(record, 4) % 2 == 1
end

-- A place where a turn begins: a user's message that is not deleted.
local function begins_turn(record)
  return string.byte(record, 3) == 117 and string.byte(record, 1) == 72
    and string.byte(record, 2) == 1 and string.byte(record, 4) % 2 == 0
end
