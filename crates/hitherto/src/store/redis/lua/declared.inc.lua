-- In a cluster only: the hashes of idempotency keys may be touched if they were sent along.
if once_day > 0 and #KEYS < 4 then return {'keys'} end
