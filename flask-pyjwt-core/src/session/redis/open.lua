-- Remembers a new session: ARGV[4] is its id, ARGV[5] the session, ARGV[6] when it expires.

redis.call('HSET', key, 's:' .. ARGV[4], ARGV[5])
keep_until(tonumber(ARGV[6]))
forget_ended()
return 1
