-- Revokes a token, a session or a subject, as ARGV[4] says. Returns the ids of what has ended by this: live
-- sessions, or the token if it was not revoked before. Returns 2 if there is no room for another token.

local what = ARGV[4]
local ended = {}

-- Removes all revoked tokens that ended before the margin.
local function forget_tokens(overfull)
    local tokens, forgotten = all_of('t:', overfull), {}
    for i = 1, #tokens, 2 do
        local moment = ends_at(tokens[i], tokens[i + 1])
        if moment and moment <= now - margin then
            table.insert(forgotten, tokens[i])
        end
    end
    remove_fields(forgotten)
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
    local count, forgettable = 0, 0
    local values = redis.call('HVALS', key)
    for i = 1, #values do
        local moment = tonumber(values[i])
        if moment then
            count = count + 1
            forgettable = moment <= now - margin and forgettable + 1 or forgettable
        end
    end
    if count >= most and forgettable > 0 then
        forget_tokens(overfull)
    end
    return count - forgettable < most
end

if what == 'token' then
    -- ARGV[5] is the id, ARGV[6] the end of the revocation, ARGV[7] the limit of revoked tokens. A hash with
    -- more fields than ARGV[8] is not read as a whole.
    local field = 't:' .. ARGV[5]
    local stored = redis.call('HGET', key, field)
    if not stored and not has_room_for_a_token(tonumber(ARGV[7]), tonumber(ARGV[8])) then
        return 2
    end
    if not stored then
        table.insert(ended, ARGV[5])
    end
    local known = ends_at(field, stored or '')
    local ending = math.max(tonumber(ARGV[6]), known or -math.huge)
    redis.call('HSET', key, field, text(ending))
    keep_until(ending)
    forget_ended()
elseif what == 'session' then
    -- ARGV[5] is the id.
    local field = 's:' .. ARGV[5]
    local stored = redis.call('HGET', key, field)
    if not stored then
        write_if_awaited()
    else
        redis.call('HDEL', key, field)
        if is_live(field, stored) then
            table.insert(ended, ARGV[5])
        end
    end
elseif what == 'subject' then
    -- Tokens that belong to no session and were issued until ARGV[5] are revoked, and this is kept until
    -- ARGV[6]. A hash with more fields than ARGV[7] is not read as a whole.
    local issued_until, ending = tonumber(ARGV[5]), tonumber(ARGV[6])
    local known = redis.call('HGET', key, 'n') or ''
    if redis.call('HLEN', key) <= tonumber(ARGV[7]) then
        local sessions, fields = all_of('s:', tonumber(ARGV[7])), {}
        for i = 1, #sessions, 2 do
            table.insert(fields, sessions[i])
            if is_live(sessions[i], sessions[i + 1]) then
                table.insert(ended, string.sub(sessions[i], 3))
            end
        end
        remove_fields(fields)
    else
        -- The tokens that were revoked by their ids were issued before now, and no entry is kept longer
        -- than the hash, so the revocation of the subject covers them.
        issued_until = math.max(issued_until, now)
        ending = math.max(ending, now + redis.call('PTTL', key) - margin)
        local adopted = redis.call('HGET', key, 't:')
        redis.call('UNLINK', key)
        if adopted then
            -- This one is no token: without it, the sessions would be adopted again.
            redis.call('HSET', key, 't:', adopted)
        end
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
return ended
