-- Registers a call and reserves an amount for it in all its budgets, or does nothing. For a call that
-- is registered already the amount is the new one, in place of what it reserved before.
--
-- ARGV: time, epoch as the replica knows it, begin and end of its day, how long after the epoch's begin
-- hard limits cannot be checked, the owner, the call's id, its intent, the amount; then for each
-- budget its counter, its limit or '' if it is not enforced, and from when on the state in Redis must
-- have existed for a counter without base to begin at 0, or ''; and 1 if a base must be known.
-- Returns: a status and the time. If granted or refused, then the refusing budget or 0, and what is
-- used of each, as it was before. If a base is missing, then the budget.
local REFUSED, GRANTED, EPOCH, GRACE, DAY, NO_BASE = 0, 1, 2, 3, 4, 5

local epoch, owner, call, amount = ARGV[2], ARGV[6], ARGV[7], tonumber(ARGV[9])
if redis.call('GET', P .. 'epoch') ~= epoch then
  return {EPOCH, now}
end
if now < tonumber(ARGV[3]) or now >= tonumber(ARGV[4]) then
  return {DAY, now}
end

local first = redis.call('HEXISTS', P .. 'owners', call) == 0
local refused, names, zero, answer = 0, {}, {}, {GRANTED, now, 0}
for i = 1, (#ARGV - 9) / 4 do
  local at = 6 + 4 * i
  local counter, limit, from = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  if limit and now < tonumber(epoch) + tonumber(ARGV[5]) then
    return {GRACE, now}
  end
  local known = redis.call('HMGET', P .. 'counter:' .. counter, 'base', 'sum')
  local base = known[1]
  if not base and from and tonumber(epoch) < from then
    base, zero[i] = 0, true
  end
  if not base and ARGV[at + 3] == '1' then
    return {NO_BASE, now, i}
  end
  local used = tonumber(base or 0) + tonumber(known[2] or 0)
  local own = tonumber(redis.call('HGET', P .. 'fields:' .. counter, call) or 0)
  local checked = limit and (first or amount > own)
  if checked and refused == 0 and (used - own >= limit or used - own + amount > limit) then
    refused = i
  end
  names[i] = counter
  answer[3 + i] = used
end
if refused > 0 then
  answer[1], answer[3] = REFUSED, refused
  return answer
end

register(call, owner, ARGV[8], table.concat(names, ' '))
for i, counter in ipairs(names) do
  if zero[i] then
    redis.call('HSET', P .. 'counter:' .. counter, 'base', '0')
  end
  set(counter, call, amount)
  use(counter)
end
return answer
