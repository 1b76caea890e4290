-- Notes how far the answer of a registered call has come.
--
-- ARGV: time, the call's id, the checkpoint.
-- Returns: whether the call is registered.
if redis.call('HEXISTS', P .. 'owners', ARGV[2]) == 0 then
  return 0
end
redis.call('HSET', P .. 'checkpoints', ARGV[2], ARGV[3])
return 1
