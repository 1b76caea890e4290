-- Removes the counter of a budget that was deleted. Calls that are settled later find no field.
--
-- ARGV: time, the counter.
-- Returns: 0.
redis.call('DEL', P .. 'counter:' .. ARGV[2], P .. 'fields:' .. ARGV[2])
redis.call('ZREM', P .. 'uses', ARGV[2])
return 0
