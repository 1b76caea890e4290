-- Removes calls that are in the ledger from the registered ones. Their amounts stay until a base
-- contains them.
--
-- ARGV: time, the calls' ids.
-- Returns: how many were registered.
local known = 0
for i = 2, #ARGV do
  known = known + (unregister(ARGV[i]) and 1 or 0)
end
return known
