-- Makes calls of replicas whose leases have lapsed this replica's, unless its own lease is too young:
-- after Redis was frozen, all have lapsed, and the others must get the time to renew theirs.
--
-- ARGV: time, the length of a lease, the replica, how many calls at most.
-- Returns: for each call its id, intent, checkpoint or '', and counters.
local LAPSED_AT_ONCE = 10

local owner = ARGV[3]
local lease = tonumber(redis.call('ZSCORE', P .. 'leases', owner) or 0)
local since = tonumber(redis.call('HGET', P .. 'since', owner) or now)
if lease < now or now - since < tonumber(ARGV[2]) then
  return {}
end

local answer, left = {}, tonumber(ARGV[4])
for _, lapsed in ipairs(redis.call('ZRANGEBYSCORE', P .. 'leases', '-inf', '(' .. int(now), 'LIMIT', 0, LAPSED_AT_ONCE)) do
  local calls = left > 0 and redis.call('SRANDMEMBER', P .. 'owned:' .. lapsed, left) or {}
  for _, call in ipairs(calls) do
    local intent = redis.call('HGET', P .. 'intents', call)
    local counters = redis.call('HGET', P .. 'counters', call)
    register(call, owner, intent, counters)
    redis.call('HSET', P .. 'claimed', call, lapsed)
    answer[#answer + 1] = call
    answer[#answer + 1] = intent
    answer[#answer + 1] = redis.call('HGET', P .. 'checkpoints', call) or ''
    answer[#answer + 1] = counters
  end
  left = left - #calls
  if redis.call('SCARD', P .. 'owned:' .. lapsed) == 0 then
    redis.call('ZREM', P .. 'leases', lapsed)
    redis.call('HDEL', P .. 'since', lapsed)
  end
end
return answer
