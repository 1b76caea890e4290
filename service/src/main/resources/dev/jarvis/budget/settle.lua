-- Sets the true amount of a call that is registered, in all its counters; may be repeated. A counter
-- that has no field of the call contains it in its base.
--
-- ARGV: time, the call's id, the amount.
-- Returns: whether the call is registered.
local call, counters = ARGV[2], redis.call('HGET', P .. 'counters', ARGV[2])
if not counters then
  return 0
end
for counter in string.gmatch(counters, '%S+') do
  if redis.call('HEXISTS', P .. 'fields:' .. counter, call) == 1 then
    set(counter, call, tonumber(ARGV[3]))
  end
end
return 1
