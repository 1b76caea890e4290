-- Removes calls that used nothing, with what they reserved.
--
-- ARGV: time, the calls' ids.
-- Returns: how many were registered.
local known = 0
for i = 2, #ARGV do
  local counters = redis.call('HGET', P .. 'counters', ARGV[i])
  if counters then
    for counter in string.gmatch(counters, '%S+') do
      set(counter, ARGV[i], nil)
    end
    unregister(ARGV[i])
    known = known + 1
  end
end
return known
