-- What every script begins with.
--
-- KEYS[1] is the hash of one subject:
--   s:<session>  a session: what `encoding.rs` writes
--   t:<token>    until when the revocation of this token is remembered
--   n            tokens of no session are revoked that were issued until the first moment; it is
--                remembered until the second
-- Moments are in milliseconds since 1970, all of them the callers'. Lua's numbers are exact to 2^53, and the
-- caller sends no larger moments.

local key = KEYS[1]
local now = tonumber(ARGV[1])
-- For how long what has ended is kept.
local margin = tonumber(ARGV[2])
-- Whether the caller waits for replicas, which takes a write to wait for.
local waits = ARGV[3] == '1'

local function text(number)
    return string.format('%.0f', number + 0)
end

-- The key lives as long as what lives longest in it.
local function keep_until(moment)
    local remaining = math.max(moment - now + margin, 1)
    if redis.call('PTTL', key) < remaining then
        redis.call('PEXPIRE', key, text(remaining))
    end
end

-- When an entry ends, or nil where that cannot be read.
local function ends_at(field, value)
    local kind = string.sub(field, 1, 2)
    if kind == 's:' then
        return tonumber(string.match(value, '^%[%-?%d+,(%-?%d+),'))
    elseif kind == 't:' then
        return tonumber(string.match(value, '^%-?%d+$'))
    elseif field == 'n' then
        return tonumber(string.match(value, '^%-?%d+ (%-?%d+)$'))
    end
end

-- The fields that begin like this.
local function fields_of(kind)
    local fields = {}
    for _, field in ipairs(redis.call('HKEYS', key)) do
        if string.sub(field, 1, 2) == kind then
            table.insert(fields, field)
        end
    end
    return fields
end

-- The entries of a kind, fields and values in turn, in a hash of so many fields at the most. Redis leaves the
-- others out: Lua would take longer for it. Nothing changes on the way, and so no field comes twice.
local function all_of(kind, most_fields)
    local all, cursor = nil, '0'
    repeat
        local found = redis.call('HSCAN', key, cursor, 'MATCH', kind .. '*', 'COUNT', most_fields + 1)
        cursor = found[1]
        for _, it in ipairs(all and found[2] or {}) do
            table.insert(all, it)
        end
        all = all or found[2]
    until cursor == '0'
    return all
end

-- No command takes more words than this at a time.
local MOST_WORDS = 1000

local function remove_fields(fields)
    for i = 1, #fields, MOST_WORDS do
        redis.call('HDEL', key, unpack(fields, i, math.min(i + MOST_WORDS - 1, #fields)))
    end
end

-- Looks at a few entries, whichever, and removes those that ended before the margin. Every script that adds
-- an entry does so, and therefore they are never many.
local function forget_ended()
    local some = redis.call('HRANDFIELD', key, 8, 'WITHVALUES')
    for i = 1, #some, 2 do
        local moment = ends_at(some[i], some[i + 1])
        if moment and moment <= now - margin then
            redis.call('HDEL', key, some[i])
        end
    end
end

-- Where nothing was changed, somebody else may have made the change a moment ago, and it may not have
-- reached the replicas: this is a write that has not before the change has.
local function write_if_awaited()
    if waits then
        redis.call('HSET', key, 'w', '')
        redis.call('HDEL', key, 'w')
    end
end
