-- What every script begins with.
--
-- KEYS[1] is the hash of one subject:
--   s:<session>  a session: what `stored.rs` writes
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

-- No command takes more words than this at a time.
local MOST_WORDS = 1000

-- The values of fields that are there, in their order.
local function values_of(fields)
    local values = {}
    for i = 1, #fields, MOST_WORDS do
        local last = math.min(i + MOST_WORDS - 1, #fields)
        for _, value in ipairs(redis.call('HMGET', key, unpack(fields, i, last))) do
            table.insert(values, value)
        end
    end
    return values
end

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
