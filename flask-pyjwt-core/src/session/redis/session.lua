-- Decodes and encodes a session, for the scripts that change sessions. `encoding.rs` describes the encoding.

local function is_moment(number)
    return type(number) == 'number' and number == math.floor(number) and math.abs(number) <= 2 ^ 53
end

local function optional(moment)
    if moment ~= cjson.null then
        return moment
    end
end

-- One pair of tokens, or nil if it is malformed.
local function generation(it)
    if type(it) ~= 'table' or #it < 3 or #it > 5
        or type(it[1]) ~= 'string' or type(it[2]) ~= 'string' or not is_moment(it[3]) then
        return nil
    end
    local repeatable_until, repeated_at = optional(it[4]), optional(it[5])
    if (repeatable_until and not is_moment(repeatable_until))
        or (repeated_at and not is_moment(repeated_at)) then
        return nil
    end
    return {
        refresh_id = it[1],
        auth_id = it[2],
        issued_at = it[3],
        repeatable_until = repeatable_until,
        repeated_at = repeated_at,
    }
end

-- Decodes the first line of a session. The rest is kept as it is.
local function read_session(stored)
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
    local generations = {}
    for i = 1, #line[4] do
        generations[i] = generation(line[4][i])
        if not generations[i] then
            return nil
        end
    end
    return {
        opened_at = line[1],
        expires_at = line[2],
        ends_at = line[3],
        generations = generations,
        label = string.sub(stored, first + 1, second),
        claims = string.sub(stored, second + 1),
    }
end

local function optional_text(moment)
    return moment and text(moment) or 'null'
end

-- Not with cjson, which would write numbers with 14 digits and an empty array as an object.
local function write_session(session)
    local parts = {}
    for i, it in ipairs(session.generations) do
        parts[i] = '[' .. cjson.encode(it.refresh_id) .. ',' .. cjson.encode(it.auth_id)
            .. ',' .. text(it.issued_at) .. ',' .. optional_text(it.repeatable_until)
            .. ',' .. optional_text(it.repeated_at) .. ']'
    end
    return '[' .. text(session.opened_at) .. ',' .. text(session.expires_at)
        .. ',' .. text(session.ends_at) .. ',[' .. table.concat(parts, ',') .. ']]\n'
        .. session.label .. session.claims
end
