-- Renews the lease of a replica, and removes counters that nothing needs any more. Always writes, so
-- that its success says that Redis can reserve.
--
-- ARGV: time, the length of a lease, the replica, how many counters to look at.
-- Returns: the epoch, or 0 after a flush; the time; 1 if it had lapsed, so that another may have claimed
-- its calls.
local KEPT = 3600000

local owner = ARGV[3]
local lease = redis.call('ZSCORE', P .. 'leases', owner)
redis.call('ZADD', P .. 'leases', now + tonumber(ARGV[2]), owner)
local lapsed = not lease or tonumber(lease) < now
if lapsed then
  redis.call('HSET', P .. 'since', owner, now)
end

for _, counter in ipairs(redis.call('ZRANGEBYSCORE', P .. 'uses', '-inf', now - KEPT, 'LIMIT', 0, ARGV[4])) do
  if redis.call('HLEN', P .. 'fields:' .. counter) == 0 then
    redis.call('DEL', P .. 'counter:' .. counter)
    redis.call('ZREM', P .. 'uses', counter)
  else
    redis.call('ZADD', P .. 'uses', now, counter)
  end
end
return {tonumber(redis.call('GET', P .. 'epoch') or 0), now, lapsed and 1 or 0}
