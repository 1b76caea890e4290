-- Extends the leases of calls in progress; adds those that are missing. Also removes stale counters.
-- Always writes, so that its success says that Redis can count.
--
-- KEYS: the set of last uses, then the slots of a call, as often as calls have slots there.
-- ARGV: now in milliseconds or '' for the time of Redis, the length of a lease in milliseconds, how
-- many stale counters to remove, then for each of the slots the call's id.
local STALE = 120000

local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

redis.call('ZADD', KEYS[1], now, 'jarvis:{limits}:probe')
for i = 2, #KEYS do
  redis.call('ZADD', KEYS[i], now + tonumber(ARGV[2]), ARGV[i + 2])
  redis.call('ZADD', KEYS[1], now, KEYS[i])
end
for _, key in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - STALE, 'LIMIT', 0, ARGV[3])) do
  redis.call('UNLINK', key)
  redis.call('ZREM', KEYS[1], key)
end
return 0
