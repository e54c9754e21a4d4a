-- Saves a new session: ARGV[4] is its id, ARGV[5] the session, ARGV[6] when it expires. The sessions with the
-- ids ARGV[9] and following end. The subject may then have ARGV[7] sessions; further ones are evicted in the
-- order of `Candidate` in opening.rs. Returns the ids of the live sessions that ended.

local new = 's:' .. ARGV[4]
local most = tonumber(ARGV[7])
-- A hash with more fields than this is not read as a whole.
local overfull = tonumber(ARGV[8])
-- How many of its fields are read instead.
local SOME = 512
-- More characters than three moments and their punctuation have.
local LONGEST_END = 80

local find, match = string.find, string.match
local EXPIRY = '^%[%-?%d+,(%-?%d+),'

-- When a session was last refreshed. A login of a subject at its limit needs this for every session, and parsing
-- the first lines would take most of its time. The moment is after the last quote of that line.
local function refreshed_at(stored)
    local line_end = find(stored, '\n', 1, true) or 0
    local moment
    local quote = find(stored, '",', math.max(line_end - LONGEST_END, 1), true)
    while quote and quote < line_end and not moment do
        moment = match(stored, '^(%-?%d+)[%d,nul-]*%]%]%]\n', quote + 2)
        quote = find(stored, '",', quote + 2, true)
    end
    -- Without pairs, the moment of the login counts.
    moment = tonumber(moment or match(stored, '^%[(%-?%d+),%-?%d+,%-?%d+,%[%]%]\n'))
    return moment and moment >= -2 ^ 53 and moment <= 2 ^ 53 and moment or -math.huge
end

-- Compares byte by byte, because Lua compares texts in the locale of the server.
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

-- The candidates, fields and values in turn, and how many of them to evict.
local function too_many()
    local length = redis.call('HLEN', key)
    if length <= most then
        return {}, 0
    end
    if length <= overfull then
        local all = all_of('s:', overfull)
        return all, #all / 2 - most
    end
    -- An earlier version had no limit. Each login evicts the older half of a random sample.
    local some = redis.call('HRANDFIELD', key, SOME, 'WITHVALUES')
    local sessions = {}
    for i = 1, #some, 2 do
        if string.sub(some[i], 1, 2) == 's:' then
            table.insert(sessions, some[i])
            table.insert(sessions, some[i + 1])
        end
    end
    return sessions, math.floor(#sessions / 4)
end

-- The sessions to evict.
local function least(sessions, excess)
    local candidates, first = {}, nil
    for i = 1, #sessions, 2 do
        local field, stored = sessions[i], sessions[i + 1]
        local is_live = now < (tonumber(match(stored, EXPIRY)) or -math.huge)
        local moment = refreshed_at(stored)
        -- Usually one session is evicted. Nothing has to be sorted then, and most sessions are skipped here.
        local may_be_first = excess > 1 or not first or not is_live or moment <= first.refreshed_at
        if may_be_first and field ~= new then
            local candidate = { field = field, is_live = is_live, refreshed_at = moment }
            table.insert(candidates, candidate)
            if not first or goes_first(candidate, first) then
                first = candidate
            end
        end
    end
    if excess == 1 then
        return { first }
    end
    table.sort(candidates, goes_first)
    return { unpack(candidates, 1, math.min(excess, #candidates)) }
end

redis.call('HSET', key, new, ARGV[5])
keep_until(tonumber(ARGV[6]))
local ended = {}
for i = 9, #ARGV do
    local replaced = 's:' .. ARGV[i]
    local stored = replaced ~= new and redis.call('HGET', key, replaced)
    if stored then
        redis.call('HDEL', key, replaced)
        if is_live(replaced, stored) then
            table.insert(ended, ARGV[i])
        end
    end
end
local sessions, excess = too_many()
local evicted = {}
for _, candidate in ipairs(excess > 0 and least(sessions, excess) or {}) do
    table.insert(evicted, candidate.field)
    if candidate.is_live then
        table.insert(ended, string.sub(candidate.field, 3))
    end
end
remove_fields(evicted)
forget_ended()
return ended
