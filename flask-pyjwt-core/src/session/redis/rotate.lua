-- Rotates a refresh token, exactly as `SessionRecord::rotate` does.

local WON, AGAIN, REPLAYED, GONE, UNREADABLE, LOST_ANSWER = 1, 2, 3, 4, 5, 6
-- `MAX_GENERATIONS` of record.rs.
local MAX_GENERATIONS = 16

local field = 's:' .. ARGV[4]
local refresh_id = ARGV[5]
local successor = {
    refresh_id = ARGV[6],
    auth_id = ARGV[7],
    issued_at = now,
    -- An empty argument means never.
    repeatable_until = tonumber(ARGV[8]),
}
local idle = tonumber(ARGV[9])
local grace = tonumber(ARGV[10])
-- ARGV[11] contains new claims, if they change.

local function given_at(it)
    return it.repeated_at or it.issued_at
end

local found = redis.call('HMGET', key, 't:' .. refresh_id, field)
if found[1] or not found[2] then
    return { GONE }
end
local stored = found[2]
local session = read_session(stored)
if not session then
    return { UNREADABLE }
end
if now >= session.expires_at then
    return { GONE }
end

local generations = session.generations
local place
for i, it in ipairs(generations) do
    -- The same attempt again, because the answer to its first run was lost.
    if it.refresh_id == successor.refresh_id and it.auth_id == successor.auth_id then
        write_if_awaited()
        return { WON, stored }
    end
    if it.refresh_id == refresh_id and not place then
        place = i
    end
end

local later = place and generations[place + 1]
if later then
    local age = now - given_at(later)
    if age >= grace then
        if later.repeatable_until and now < later.repeatable_until and not generations[place + 2] then
            later.repeated_at = now
            stored = write_session(session)
            redis.call('HSET', key, field, stored)
            return { LOST_ANSWER, stored, place + 1 }
        end
        place = nil
    elseif age <= -grace and age < 0 then
        return { GONE }
    else
        write_if_awaited()
        if later.repeated_at == now and later.repeatable_until then
            return { LOST_ANSWER, stored, place + 1 }
        end
        return { AGAIN, stored, place + 1 }
    end
end
if not place then
    redis.call('HDEL', key, field)
    return { REPLAYED }
end

if generations[place].repeated_at then
    -- Two lost answers in a row mean that a thief and the owner take turns.
    successor.repeatable_until = nil
end
generations[place].repeatable_until = nil
table.insert(generations, successor)
local old = 0
while old + 2 < #generations and now - given_at(generations[old + 2]) >= grace do
    old = old + 1
end
old = math.max(old, #generations - MAX_GENERATIONS)
local kept = {}
for i = old + 1, #generations do
    table.insert(kept, generations[i])
end
session.generations = kept
session.expires_at = math.max(math.min(now + idle, session.ends_at), -2 ^ 53)
session.claims = ARGV[11] or session.claims
stored = write_session(session)
redis.call('HSET', key, field, stored)
keep_until(session.expires_at)
forget_ended()
return { WON, stored }
