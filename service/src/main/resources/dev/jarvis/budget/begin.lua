-- Begins the refresh of a counter's base, unless one has begun just now.
--
-- ARGV: time, the counter, how long ago the last refresh must have begun.
-- Returns: the generation, or 0.
local counter = P .. 'counter:' .. ARGV[2]
local begun = tonumber(redis.call('HGET', counter, 'begun') or 0)
if begun <= now and now - begun < tonumber(ARGV[3]) then
  return 0
end
redis.call('HSET', counter, 'begun', now)
use(ARGV[2])
return redis.call('HINCRBY', counter, 'generation', 1)
