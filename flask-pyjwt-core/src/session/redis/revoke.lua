-- Revokes a token, a session or a subject, as ARGV[4] says.

local what = ARGV[4]

-- Removes all revoked tokens that ended before the margin.
local function forget_tokens(overfull)
    local tokens, ended = all_of('t:', overfull), {}
    for i = 1, #tokens, 2 do
        local moment = ends_at(tokens[i], tokens[i + 1])
        if moment and moment <= now - margin then
            table.insert(ended, tokens[i])
        end
    end
    remove_fields(ended)
end

-- Whether one more token may be revoked by its id. Removes ended ones first if there is no room.
local function has_room_for_a_token(most, overfull)
    local length = redis.call('HLEN', key)
    if length < most then
        return true
    elseif length > overfull then
        return false
    end
    -- Only the values of revoked tokens are numbers: the ends of their revocations.
    local count, ended = 0, 0
    local values = redis.call('HVALS', key)
    for i = 1, #values do
        local moment = tonumber(values[i])
        if moment then
            count = count + 1
            ended = moment <= now - margin and ended + 1 or ended
        end
    end
    if count >= most and ended > 0 then
        forget_tokens(overfull)
    end
    return count - ended < most
end

if what == 'token' then
    -- ARGV[5] is the id, ARGV[6] the end of the revocation, ARGV[7] the limit of revoked tokens. A hash with
    -- more fields than ARGV[8] is not read as a whole.
    local field = 't:' .. ARGV[5]
    local stored = redis.call('HGET', key, field)
    if not stored and not has_room_for_a_token(tonumber(ARGV[7]), tonumber(ARGV[8])) then
        return 2
    end
    local known = ends_at(field, stored or '')
    local ending = math.max(tonumber(ARGV[6]), known or -math.huge)
    redis.call('HSET', key, field, text(ending))
    keep_until(ending)
    forget_ended()
elseif what == 'session' then
    -- ARGV[5] is the id.
    if redis.call('HDEL', key, 's:' .. ARGV[5]) == 0 then
        write_if_awaited()
    end
elseif what == 'subject' then
    -- Tokens that belong to no session and were issued until ARGV[5] are revoked, and this is kept until
    -- ARGV[6]. A hash with more fields than ARGV[7] is not read as a whole.
    local issued_until, ending = tonumber(ARGV[5]), tonumber(ARGV[6])
    local known = redis.call('HGET', key, 'n') or ''
    if redis.call('HLEN', key) <= tonumber(ARGV[7]) then
        remove_fields(fields_of('s:'))
    else
        -- The tokens that were revoked by their ids were issued before now, and no entry is kept longer
        -- than the hash, so the revocation of the subject covers them.
        issued_until = math.max(issued_until, now)
        ending = math.max(ending, now + redis.call('PTTL', key) - margin)
        redis.call('UNLINK', key)
    end
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
