-- Moves the rows from before the ledger. A migration of its own, which locks no table, so that the previous release writes meanwhile.
-- The totals, which it changes too, are locked at the end only.
INSERT INTO ledger_attempts (call_id, created_at, number, provider, model, outcome, worked, finish_reason, input_tokens,
    cached_input_tokens, output_tokens, reasoning_tokens, estimated, cost_usd, duration_ms, time_to_first_token_ms)
SELECT coalesce(call_id, id), CASE WHEN coalesce(call_id, id) = id THEN created_at ELSE ledger_time(call_id, created_at) END, attempt,
    provider, model, outcome, outcome <> 'rejected', finish_reason, input_tokens, cached_input_tokens, output_tokens,
    reasoning_tokens, estimated, cost_usd, duration_ms, time_to_first_token_ms
FROM llm_requests WHERE outcome <> 'cached'
ON CONFLICT DO NOTHING;

-- An attempt whose call's own row is missing is an entry of the lowest rank. The conflict is a call with an attempt before the last
-- migration and another one after it.
INSERT INTO ledger_entries AS e (id, created_at, rank, day, user_id, end_user, request_id, trace_id, operation, provider, model, outcome,
    finish_reason, streamed, attempts, input_tokens, cached_input_tokens, output_tokens, reasoning_tokens, estimated, cost_usd,
    duration_ms, time_to_first_token_ms)
SELECT DISTINCT ON (call, at) call, at, CASE WHEN own THEN 3 ELSE 1 END, (at AT TIME ZONE 'UTC')::date, user_id, end_user, request_id,
    trace_id, operation, provider, model, outcome, finish_reason, streamed, 0, 0, 0, 0, 0, false,
    CASE WHEN outcome = 'cached' THEN cost_usd END, 0, time_to_first_token_ms
FROM (
    SELECT coalesce(call_id, id) AS call, coalesce(call_id, id) = id AS own,
        CASE WHEN coalesce(call_id, id) = id THEN created_at ELSE ledger_time(call_id, created_at) END AS at, *
    FROM llm_requests) AS every
ORDER BY call, at, own DESC, attempt DESC
ON CONFLICT (id, created_at) DO UPDATE SET rank = excluded.rank, trace_id = excluded.trace_id, provider = excluded.provider,
    model = excluded.model, outcome = excluded.outcome, finish_reason = excluded.finish_reason,
    time_to_first_token_ms = excluded.time_to_first_token_ms
    WHERE e.rank = 1 AND excluded.rank > e.rank;

-- A statement of its own: the entries are locked now, so it sees every attempt that they lack. Attempts that are written later find the
-- entries locked, and add themselves when this transaction has ended.
UPDATE ledger_entries e SET attempts = s.attempts, input_tokens = s.input, cached_input_tokens = s.cached, output_tokens = s.output,
    reasoning_tokens = s.reasoning, estimated = s.estimated, cost_usd = s.cost, duration_ms = s.duration,
    rank = CASE WHEN e.rank = 1 THEN 1 WHEN s.estimated THEN 2 ELSE 3 END
FROM ledger_attempt_sums s
WHERE s.call_id = e.id AND s.created_at = e.created_at AND s.attempts <> e.attempts;
