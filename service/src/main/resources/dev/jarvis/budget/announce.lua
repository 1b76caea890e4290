-- Begins an epoch if there is none, and makes known again what a replica knows of its calls.
--
-- ARGV: time, the length of a lease, the replica; then for each call its id, 1 if it is to be registered
-- or 0 if it is in the ledger already, its intent, its amount, its counters.
-- Returns: the epoch.
local owner = ARGV[3]
redis.call('SET', P .. 'epoch', now, 'NX')
local lease = redis.call('ZSCORE', P .. 'leases', owner)
redis.call('ZADD', P .. 'leases', now + tonumber(ARGV[2]), owner)
if not lease or tonumber(lease) < now then
  redis.call('HSET', P .. 'since', owner, now)
end
for i = 4, #ARGV, 5 do
  local call = ARGV[i]
  if ARGV[i + 1] == '1' then
    register(call, owner, ARGV[i + 2], ARGV[i + 4])
  end
  for counter in string.gmatch(ARGV[i + 4], '%S+') do
    set(counter, call, tonumber(ARGV[i + 3]))
    use(counter)
  end
end
return tonumber(redis.call('GET', P .. 'epoch'))
