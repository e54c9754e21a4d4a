-- Ends something before its time: ARGV[4] says what.

local what = ARGV[4]

if what == 'token' then
    -- ARGV[5] is its id, ARGV[6] until when that is remembered.
    local field = 't:' .. ARGV[5]
    local known = ends_at(field, redis.call('HGET', key, field) or '')
    local ending = math.max(tonumber(ARGV[6]), known or -math.huge)
    redis.call('HSET', key, field, text(ending))
    keep_until(ending)
    forget_ended()
elseif what == 'session' then
    -- ARGV[5] is its id.
    if redis.call('HDEL', key, 's:' .. ARGV[5]) == 0 then
        write_if_awaited()
    end
elseif what == 'subject' then
    -- ARGV[5] is the moment until which tokens of no session are revoked, ARGV[6] until when that is
    -- remembered.
    local sessions = {}
    for _, field in ipairs(redis.call('HKEYS', key)) do
        if string.sub(field, 1, 2) == 's:' then
            table.insert(sessions, field)
        end
    end
    for i = 1, #sessions, 1000 do
        redis.call('HDEL', key, unpack(sessions, i, math.min(i + 999, #sessions)))
    end
    local issued_until, ending = tonumber(ARGV[5]), tonumber(ARGV[6])
    local known = redis.call('HGET', key, 'n') or ''
    local known_issued_until, known_ending = string.match(known, '^(%-?%d+) (%-?%d+)$')
    if known_ending then
        issued_until = math.max(issued_until, tonumber(known_issued_until))
        ending = math.max(ending, tonumber(known_ending))
    end
    redis.call('HSET', key, 'n', text(issued_until) .. ' ' .. text(ending))
    keep_until(ending)
    forget_ended()
end
return 1
