-- Reads registered calls.
--
-- ARGV: time, the calls' ids.
-- Returns: for each call that is registered its id, intent, checkpoint or '', and counters.
local answer = {}
for i = 2, #ARGV do
  local intent = redis.call('HGET', P .. 'intents', ARGV[i])
  if intent then
    answer[#answer + 1] = ARGV[i]
    answer[#answer + 1] = intent
    answer[#answer + 1] = redis.call('HGET', P .. 'checkpoints', ARGV[i]) or ''
    answer[#answer + 1] = redis.call('HGET', P .. 'counters', ARGV[i])
  end
end
return answer
