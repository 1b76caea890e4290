-- What the scripts have in common. All keys begin with KEYS[1], whose hash tag keeps them on one node.
--
-- epoch: when the state in Redis began, in milliseconds; missing after a flush
-- leases, since: until when each replica's lease lasts; since when it has been held without a gap
-- owners, intents, checkpoints, counters: by the id of a registered call
-- claimed: which of them were another replica's that is gone; their owner is to settle them
-- owned:REPLICA: the ids of its registered calls
-- counter:NAME: the hash of base, sum, generation and begun of a budget in a period
-- fields:NAME: the amount of each call there that the base may not contain; sum is the sum of these
-- uses: the counters by the time from which they may be removed
--
-- NAME is BUDGET/PERIOD/END, with the end of the period in milliseconds or 0. ARGV[1] is the time in
-- milliseconds, or '' for that of Redis. Amounts are integers below 2^53, which Lua keeps exactly.
local P = KEYS[1]
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local function int(number)
  return string.format('%.0f', number)
end

-- Sets the amount of a call in a counter; nil removes it. Returns what it was.
local function set(counter, call, amount)
  local fields = P .. 'fields:' .. counter
  local old = tonumber(redis.call('HGET', fields, call) or 0)
  if amount then
    redis.call('HSET', fields, call, int(amount))
  else
    redis.call('HDEL', fields, call)
  end
  redis.call('HINCRBY', P .. 'counter:' .. counter, 'sum', int((amount or 0) - old))
  return old
end

local function use(counter)
  local ended = tonumber(string.match(counter, '/(%d+)$'))
  redis.call('ZADD', P .. 'uses', math.max(now, ended), counter)
end

-- Makes a call the owner's.
local function register(call, owner, intent, counters)
  local before = redis.call('HGET', P .. 'owners', call)
  redis.call('HSET', P .. 'owners', call, owner)
  redis.call('HSET', P .. 'intents', call, intent)
  redis.call('HSET', P .. 'counters', call, counters)
  if before and before ~= owner then
    redis.call('SREM', P .. 'owned:' .. before, call)
    redis.call('HDEL', P .. 'claimed', call) -- its replica is not gone, or it is claimed again
  end
  redis.call('SADD', P .. 'owned:' .. owner, call)
end

local function unregister(call)
  local owner = redis.call('HGET', P .. 'owners', call)
  if not owner then
    return false
  end
  for _, name in ipairs({'owners', 'intents', 'checkpoints', 'counters', 'claimed'}) do
    redis.call('HDEL', P .. name, call)
  end
  redis.call('SREM', P .. 'owned:' .. owner, call)
  return true
end
