-- Saves the sessions that another store has of a subject, unless this was done before. ARGV[4] is when the last
-- of them has to end. Then follow the id of each session and the session. Returns whether it was done now.

-- The token with the empty id, which no token has: it is revoked when the sessions are adopted.
local adopted = 't:'

if redis.call('HGET', key, adopted) then
    write_if_awaited()
    return 0
end
for i = 5, #ARGV, 2 do
    local field = 's:' .. ARGV[i]
    if not redis.call('HGET', key, field) then
        redis.call('HSET', key, field, ARGV[i + 1])
    end
end
local last = tonumber(ARGV[4])
redis.call('HSET', key, adopted, text(last))
keep_until(last)
return 1
