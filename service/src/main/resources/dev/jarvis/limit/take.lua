-- Takes what a call needs from all its counters, or from none. Writes in either case, so that its
-- success says that Redis can count.
--
-- KEYS: the set of last uses, then the counters.
-- ARGV: now in milliseconds or '' for the time of Redis, the length of a lease in milliseconds, how
-- many stale counters to remove, the call's id; then for each counter its kind, the amount and the limit.
-- Returns: whether the call is granted, the second, then for each counter what is used now, how long
-- the call must wait because of it, and after how long nothing of it is used.
local WINDOW = 60
local STALE = 120000

local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local second = math.floor(now / 1000)
local lease, id = tonumber(ARGV[2]), ARGV[4]

for _, key in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - STALE, 'LIMIT', 0, ARGV[3])) do
  redis.call('UNLINK', key)
  redis.call('ZREM', KEYS[1], key)
end

-- Never longer than from now, even if the clock went back.
local function left(at)
  return math.min(at + WINDOW + 1, second + WINDOW + 1) * 1000 - now
end

-- How long it takes until enough of the oldest buckets have left.
local function wait(buckets, free, amount)
  table.sort(buckets, function(a, b) return a[1] < b[1] end)
  local time, next = 0, 1
  while free < amount and buckets[next] do
    free = free + buckets[next][2]
    time = left(buckets[next][1])
    next = next + 1
  end
  return time
end

-- A bucket counts for as long as any of its moments is less than 60 s ago. One of a far future is
-- from before the clock went back.
local function window(key, amount, limit)
  local flat = redis.call('HGETALL', key)
  local buckets, used, newest = {}, 0, nil
  for i = 1, #flat, 2 do
    local at, number = tonumber(flat[i]), tonumber(flat[i + 1])
    if at < second - WINDOW or at > second + WINDOW then
      redis.call('HDEL', key, flat[i])
    else
      buckets[#buckets + 1] = {at, number}
      used = used + number
      newest = math.max(newest or at, at)
    end
  end
  local free = limit - used
  return used, free < amount and wait(buckets, free, amount) or 0, newest and left(newest) or 0
end

local function slots(key, amount, limit)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
  redis.call('ZREMRANGEBYSCORE', key, now + 2 * lease, '+inf') -- the clock went back
  local used = redis.call('ZCARD', key)
  return used, used + amount > limit and 1000 or 0, 0
end

local answer, granted = {1, second}, true
for i = 2, #KEYS do
  local arg = 3 * i - 1
  local count = ARGV[arg] == 'parallel' and slots or window
  redis.call('ZADD', KEYS[1], now, KEYS[i])
  local used, wait, reset = count(KEYS[i], tonumber(ARGV[arg + 1]), tonumber(ARGV[arg + 2]))
  granted = granted and wait == 0
  answer[#answer + 1] = used
  answer[#answer + 1] = wait
  answer[#answer + 1] = reset
end
if not granted then
  answer[1] = 0
  return answer
end

for i = 2, #KEYS do
  local arg, at = 3 * i - 1, 3 * i - 3
  local amount = tonumber(ARGV[arg + 1])
  if ARGV[arg] == 'parallel' then
    redis.call('ZADD', KEYS[i], now + lease, id)
  elseif amount > 0 then
    redis.call('HINCRBY', KEYS[i], second, amount)
    answer[at + 2] = left(second)
  end
  answer[at] = answer[at] + amount
end
return answer
