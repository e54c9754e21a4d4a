-- Ends something before its time: ARGV[4] says what.

local what = ARGV[4]

-- Removes all tokens that may be forgotten.
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

-- Whether one more token may be revoked by its id, after those are removed that may be forgotten, if need
-- be.
local function has_room_for_a_token(most, overfull)
    local length = redis.call('HLEN', key)
    if length < most then
        return true
    elseif length > overfull then
        return false
    end
    -- Of all values, only those of revoked tokens are numbers: the moments until which they are remembered.
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
    -- ARGV[5] is its id, ARGV[6] until when that is remembered, ARGV[7] how many may be, ARGV[8] from how
    -- many fields on the hash is too large to be looked through.
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
    -- ARGV[5] is its id.
    if redis.call('HDEL', key, 's:' .. ARGV[5]) == 0 then
        write_if_awaited()
    end
elseif what == 'subject' then
    -- ARGV[5] is the moment until which tokens of no session are revoked, ARGV[6] until when that is
    -- remembered, ARGV[7] from how many fields on the hash is too large to be looked through.
    local issued_until, ending = tonumber(ARGV[5]), tonumber(ARGV[6])
    local known = redis.call('HGET', key, 'n') or ''
    if redis.call('HLEN', key) <= tonumber(ARGV[7]) then
        remove_fields(fields_of('s:'))
    else
        -- Tokens that were revoked by their ids were issued until now, and nothing in the hash is
        -- remembered for longer than it.
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
