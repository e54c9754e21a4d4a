-- Records that a token was presented, and returns its session after that. Returns nothing if there is no such
-- session or the token is revoked. ARGV[4] is the id of the session, ARGV[5] that of the token, ARGV[6] its type.

local UNREADABLE = 5

local field = 's:' .. ARGV[4]
local found = redis.call('HMGET', key, 't:' .. ARGV[5], field)
if found[1] or not found[2] then
    return {}
end
local stored = found[2]
local session = read_session(stored)
if not session then
    return { UNREADABLE }
end
local generations = session.generations
local current = generations[#generations]
local is_current
if ARGV[6] == 'auth' then
    is_current = current and current.auth_id == ARGV[5]
else
    -- The first pair with this id counts, as in `record.rs`.
    for _, it in ipairs(generations) do
        if it.refresh_id == ARGV[5] then
            is_current = it == current
            break
        end
    end
end
if now < session.expires_at and is_current and current.repeatable_until then
    current.repeatable_until = nil
    stored = write_session(session)
    redis.call('HSET', key, field, stored)
else
    write_if_awaited()
end
return { 1, stored }
