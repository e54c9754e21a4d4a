-- The common beginning of all scripts.
--
-- KEYS[1] is the hash of one subject:
--   s:<session>  a session, as encoded by `encoding.rs`
--   t:<token>    the end of the revocation of this token; without an id: the sessions were adopted (adopt.lua)
--   n            two moments: tokens that belong to no session and were issued until the first one are
--                revoked, and this is kept until the second one
-- Moments are milliseconds since 1970 on the caller's clock. Numbers in Lua are exact up to 2^53, and callers
-- send no larger moments.

local key = KEYS[1]
local now = tonumber(ARGV[1])
-- How long ended entries are kept.
local margin = tonumber(ARGV[2])
-- Whether the caller waits for replicas. This needs a write to wait for.
local waits = ARGV[3] == '1'

local function text(number)
    return string.format('%.0f', number + 0)
end

-- Keeps the key at least until this moment plus the margin.
local function keep_until(moment)
    local remaining = math.max(moment - now + margin, 1)
    if redis.call('PTTL', key) < remaining then
        redis.call('PEXPIRE', key, text(remaining))
    end
end

-- When an entry ends, or nil if it is malformed.
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

-- Whether a session has not ended. Nobody can use a malformed one.
local function is_live(field, stored)
    local moment = ends_at(field, stored)
    return moment and now < moment
end

-- The entries of a kind, fields and values in turn, in a hash of at most this many fields. Redis filters them,
-- which is faster than Lua. The hash does not change during the scan, so no field occurs twice.
local function all_of(kind, max_fields)
    local all, cursor = nil, '0'
    repeat
        local found = redis.call('HSCAN', key, cursor, 'MATCH', kind .. '*', 'COUNT', max_fields + 1)
        cursor = found[1]
        for _, it in ipairs(all and found[2] or {}) do
            table.insert(all, it)
        end
        all = all or found[2]
    until cursor == '0'
    return all
end

-- The maximum number of arguments of one command.
local MAX_ARGUMENTS = 1000

local function remove_fields(fields)
    for i = 1, #fields, MAX_ARGUMENTS do
        redis.call('HDEL', key, unpack(fields, i, math.min(i + MAX_ARGUMENTS - 1, #fields)))
    end
end

-- Looks at a few random entries and removes those that ended before the margin. Every script that adds an
-- entry calls this, so ended entries never accumulate.
local function forget_ended()
    local some = redis.call('HRANDFIELD', key, 8, 'WITHVALUES')
    for i = 1, #some, 2 do
        local moment = ends_at(some[i], some[i + 1])
        if moment and moment <= now - margin then
            redis.call('HDEL', key, some[i])
        end
    end
end

-- If this script changes nothing, another one may have made the change a moment ago, and the replicas may not
-- have it yet. This write reaches them after that change.
local function write_if_awaited()
    if waits then
        redis.call('HSET', key, 'w', '')
        redis.call('HDEL', key, 'w')
    end
end
