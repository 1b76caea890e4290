-- Removes calls that are in the ledger from the registered ones. Their amounts stay until a base
-- contains them.
--
-- ARGV: time, the calls' ids.
-- Returns: for each that was registered, its counters.
local answer = {}
for i = 2, #ARGV do
  local counters = redis.call('HGET', P .. 'counters', ARGV[i])
  if unregister(ARGV[i]) then
    answer[#answer + 1] = counters
  end
end
return answer
