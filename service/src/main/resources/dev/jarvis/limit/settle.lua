-- Books the difference between what a call took and what it used, and frees its slots. Slots first:
-- a full Redis refuses the rest, and still removes.
--
-- KEYS: the set of last uses, then the counters.
-- ARGV: now in milliseconds or '' for the time of Redis, the second in which the call took, the call's
-- id; then for each counter its kind and the change.
local WINDOW = 60

local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local second, taken = math.floor(now / 1000), tonumber(ARGV[2])

for i = 2, #KEYS do
  if ARGV[2 * i] == 'parallel' then
    redis.call('ZREM', KEYS[i], ARGV[3])
  end
end

for i = 2, #KEYS do
  local key, change = KEYS[i], tonumber(ARGV[2 * i + 1])
  if ARGV[2 * i] == 'parallel' then
    -- freed above
  elseif change > 0 then
    redis.call('HINCRBY', key, second, change)
    redis.call('ZADD', KEYS[1], now, key)
  elseif change < 0 and taken >= second - WINDOW then
    -- less if Redis was emptied meanwhile
    local number = tonumber(redis.call('HGET', key, taken) or 0)
    if number + change > 0 then
      redis.call('HINCRBY', key, taken, change)
    else
      redis.call('HDEL', key, taken)
    end
  end
end
return 0
