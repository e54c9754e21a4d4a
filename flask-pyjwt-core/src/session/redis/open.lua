-- Remembers a new session: ARGV[4] is its id, ARGV[5] the session, ARGV[6] when it expires. Of its subject's
-- sessions, those end whose ids are ARGV[9] and on. ARGV[7] may be there then: others end as `Candidate` in
-- opening.rs says. Gives the ids of the others that were live.

local own = 's:' .. ARGV[4]
local most = tonumber(ARGV[7])
-- From how many fields on the hash is too large to be looked through: ARGV[8].
local overfull = tonumber(ARGV[8])
-- How many of its fields are looked at then.
local SOME = 512

local function is_moment(number)
    return type(number) == 'number' and number == math.floor(number) and math.abs(number) <= 2 ^ 53
end

-- When a session was refreshed last.
local function refreshed_at(stored)
    local first = string.find(stored, '\n', 1, true)
    local ok, line = pcall(cjson.decode, string.sub(stored, 1, (first or 1) - 1))
    local generations = ok and type(line) == 'table' and line[4]
    if type(generations) ~= 'table' then
        return -math.huge
    end
    local last = generations[#generations]
    local moment = line[1]
    if last then
        moment = type(last) == 'table' and last[3]
    end
    return is_moment(moment) and moment or -math.huge
end

-- Byte by byte: Lua's own order of texts is that of the server's locale.
local function is_lesser(a, b)
    for i = 1, math.min(#a, #b) do
        local x, y = string.byte(a, i), string.byte(b, i)
        if x ~= y then
            return x < y
        end
    end
    return #a < #b
end

local function goes_first(a, b)
    if a.is_live ~= b.is_live then
        return b.is_live
    elseif a.refreshed_at ~= b.refreshed_at then
        return a.refreshed_at < b.refreshed_at
    end
    return is_lesser(a.field, b.field)
end

-- The sessions to choose from, and how many of them end.
local function too_many()
    local length = redis.call('HLEN', key)
    if length <= most then
        return {}, {}, 0
    end
    if length <= overfull then
        local fields = fields_of('s:')
        local excess = #fields - most
        if excess <= 0 then
            return {}, {}, 0
        end
        return fields, values_of(fields), excess
    end
    -- An earlier version had no limit: of a few, whichever, the older half ends with each login.
    local some = redis.call('HRANDFIELD', key, SOME, 'WITHVALUES')
    local fields, values = {}, {}
    for i = 1, #some, 2 do
        if string.sub(some[i], 1, 2) == 's:' then
            table.insert(fields, some[i])
            table.insert(values, some[i + 1])
        end
    end
    return fields, values, math.floor(#fields / 2)
end

redis.call('HSET', key, own, ARGV[5])
keep_until(tonumber(ARGV[6]))
for i = 9, #ARGV do
    local replaced = 's:' .. ARGV[i]
    if replaced ~= own then
        redis.call('HDEL', key, replaced)
    end
end
local fields, values, excess = too_many()
local candidates = {}
for i, field in ipairs(excess > 0 and fields or {}) do
    if field ~= own then
        table.insert(candidates, {
            field = field,
            is_live = now < (ends_at(field, values[i]) or -math.huge),
            refreshed_at = refreshed_at(values[i]),
        })
    end
end
table.sort(candidates, goes_first)
local ended, evicted = {}, {}
for i = 1, math.min(excess, #candidates) do
    table.insert(ended, candidates[i].field)
    if candidates[i].is_live then
        table.insert(evicted, string.sub(candidates[i].field, 3))
    end
end
remove_fields(ended)
forget_ended()
return evicted
