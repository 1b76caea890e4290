-- Sets the base of a counter, and removes the amounts of the calls that it contains, unless another
-- refresh has begun meanwhile: that one reads a newer ledger.
--
-- ARGV: time, the counter, the generation, the base, the ids of the calls.
-- Returns: whether it was set, what is used, and by how much the base differs from what was expected.
local name = ARGV[2]
local counter, base = P .. 'counter:' .. name, tonumber(ARGV[4])
if redis.call('HGET', counter, 'generation') ~= ARGV[3] then
  return {0, 0, 0}
end
local expected = tonumber(redis.call('HGET', counter, 'base') or false)
redis.call('HSET', counter, 'base', ARGV[4])
local removed = 0
for i = 5, #ARGV do
  removed = removed + set(name, ARGV[i], nil)
end
local used = base + tonumber(redis.call('HGET', counter, 'sum') or 0)
return {1, used, expected and base - expected - removed or 0}
