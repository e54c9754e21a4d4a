-- Rotates a refresh token, exactly as `SessionRecord::rotate` does.

local WON, AGAIN, REPLAYED, GONE, UNREADABLE = 1, 2, 3, 4, 5
-- `MOST_GENERATIONS` of record.rs.
local MOST_GENERATIONS = 16

local field = 's:' .. ARGV[4]
local refresh_id = ARGV[5]
local successor = { ARGV[6], ARGV[7], now }
local idle = tonumber(ARGV[8])
local grace = tonumber(ARGV[9])
-- The claims from now on, if they change: ARGV[10].

local function is_moment(number)
    return type(number) == 'number' and number == math.floor(number) and math.abs(number) <= 2 ^ 53
end

local function is_generation(it)
    return type(it) == 'table' and #it == 3
        and type(it[1]) == 'string' and type(it[2]) == 'string' and is_moment(it[3])
end

-- The session's first line, and what follows it, which is never looked into.
local function read(stored)
    local first = string.find(stored, '\n', 1, true)
    local second = first and string.find(stored, '\n', first + 1, true)
    if not second then
        return nil
    end
    local ok, line = pcall(cjson.decode, string.sub(stored, 1, first - 1))
    if not ok or type(line) ~= 'table' or #line ~= 4 or type(line[4]) ~= 'table' then
        return nil
    end
    for i = 1, 3 do
        if not is_moment(line[i]) then
            return nil
        end
    end
    for i = 1, #line[4] do
        if not is_generation(line[4][i]) then
            return nil
        end
    end
    return line, string.sub(stored, first + 1, second), string.sub(stored, second + 1)
end

-- cjson would write numbers with 14 digits, and no elements as an object.
local function write(opened_at, expires_at, most, generations)
    local parts = {}
    for i, it in ipairs(generations) do
        parts[i] = '[' .. cjson.encode(it[1]) .. ',' .. cjson.encode(it[2]) .. ',' .. text(it[3]) .. ']'
    end
    return '[' .. text(opened_at) .. ',' .. text(expires_at) .. ',' .. text(most)
        .. ',[' .. table.concat(parts, ',') .. ']]\n'
end

local found = redis.call('HMGET', key, 't:' .. refresh_id, field)
if found[1] or not found[2] then
    return { GONE }
end
local stored = found[2]
local line, label, claims = read(stored)
if not line then
    return { UNREADABLE }
end
local opened_at, expires_at, most, generations = line[1], line[2], line[3], line[4]
if now >= expires_at then
    return { GONE }
end

local place
for i, it in ipairs(generations) do
    if it[1] == refresh_id then
        place = i
        break
    end
end
local later = place and generations[place + 1]
if later then
    local age = now - later[3]
    if age >= grace then
        place = nil
    elseif age <= -grace and age < 0 then
        return { GONE }
    else
        write_if_awaited()
        return { AGAIN, stored, place + 1 }
    end
end
if not place then
    redis.call('HDEL', key, field)
    return { REPLAYED }
end

table.insert(generations, successor)
local old = 0
while old + 1 < #generations and now - generations[old + 2][3] >= grace do
    old = old + 1
end
old = math.max(old, #generations - MOST_GENERATIONS)
local kept = {}
for i = old + 1, #generations do
    table.insert(kept, generations[i])
end
expires_at = math.max(math.min(now + idle, most), -2 ^ 53)
stored = write(opened_at, expires_at, most, kept) .. label .. (ARGV[10] or claims)
redis.call('HSET', key, field, stored)
keep_until(expires_at)
forget_ended()
return { WON, stored }
