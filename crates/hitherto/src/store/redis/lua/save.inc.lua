redis.call('HSET', KEYS[2], 'state', struct.pack('>BBI6I6I6I6I6I6I6I6I6I4c16I6I6I6BBI6I4I4I6',
  2, restart, base, last, turns, dead, bytes, made, used, ttl, max, once_day,
  sum_id, upto, sum_turns, sum_bytes, stale + (own and 2 or 0), failures, lease_upto, revision, own_turns, own_bytes))
