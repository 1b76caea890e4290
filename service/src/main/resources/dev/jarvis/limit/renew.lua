-- Extends the leases of calls in progress; adds those that are missing.
--
-- KEYS: the set of last uses, then the slots of a call, as often as calls have slots there.
-- ARGV: now in milliseconds or '' for the time of Redis, the length of a lease in milliseconds, then
-- for each of the slots the call's id.
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

for i = 2, #KEYS do
  redis.call('ZADD', KEYS[i], now + tonumber(ARGV[2]), ARGV[i + 1])
  redis.call('ZADD', KEYS[1], now, KEYS[i])
end
return 0
