redis.call('HSET', KEYS[2], 'state', struct.pack('>BBI6I6I6I6I6I6I6I6I6I4',
  1, restart, base, last, turns, dead, bytes, made, used, ttl, max, once_day))
