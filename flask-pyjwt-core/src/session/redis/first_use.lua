-- Notes that a message was used. KEYS[1] is a key of its own, and ARGV[4] is when it may be forgotten. Returns whether
-- this was the first time.

if redis.call('SET', key, '', 'NX', 'PX', text(math.max(tonumber(ARGV[4]) - now + margin, 1))) then
    return 1
end
return 0
