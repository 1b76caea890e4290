-- Moves the rows from before the ledger. A migration of its own, which locks no table, so that the previous release writes meanwhile.
-- The totals, which it changes too, are locked at the end only.
INSERT INTO ledger_attempts (call_id, created_at, number, provider, model, outcome, worked, finish_reason, input_tokens,
    cached_input_tokens, output_tokens, reasoning_tokens, estimated, cost_usd, duration_ms, time_to_first_token_ms)
SELECT coalesce(call_id, id), CASE WHEN coalesce(call_id, id) = id THEN created_at ELSE ledger_time(call_id, created_at) END, attempt,
    provider, model, outcome, outcome <> 'rejected', finish_reason, input_tokens, cached_input_tokens, output_tokens,
    reasoning_tokens, estimated, cost_usd, duration_ms, time_to_first_token_ms
FROM llm_requests WHERE outcome <> 'cached'
ON CONFLICT DO NOTHING;

-- An attempt whose call's own row is missing is an entry of the lowest rank.
INSERT INTO ledger_entries AS e (id, created_at, rank, day, user_id, end_user, request_id, trace_id, operation, provider, model, outcome,
    finish_reason, streamed, attempts, input_tokens, cached_input_tokens, output_tokens, reasoning_tokens, estimated, cost_usd,
    duration_ms, time_to_first_token_ms)
SELECT r.call, r.at, CASE WHEN NOT r.own THEN 1 WHEN coalesce(s.estimated, false) THEN 2 ELSE 3 END, (r.at AT TIME ZONE 'UTC')::date,
    r.user_id, r.end_user, r.request_id, r.trace_id, r.operation, r.provider, r.model, r.outcome, r.finish_reason, r.streamed,
    coalesce(s.attempts, 0), coalesce(s.input, 0), coalesce(s.cached, 0), coalesce(s.output, 0), coalesce(s.reasoning, 0),
    coalesce(s.estimated, false), CASE WHEN s.attempts IS NULL THEN r.cost_usd ELSE s.cost END, coalesce(s.duration, 0),
    r.time_to_first_token_ms
FROM (
    SELECT DISTINCT ON (call, at) * FROM (
        SELECT coalesce(call_id, id) AS call, coalesce(call_id, id) = id AS own,
            CASE WHEN coalesce(call_id, id) = id THEN created_at ELSE ledger_time(call_id, created_at) END AS at, *
        FROM llm_requests) AS every
    ORDER BY call, at, own DESC, attempt DESC) AS r
LEFT JOIN (
    SELECT call_id, created_at, count(*) AS attempts, sum(input_tokens) AS input, sum(cached_input_tokens) AS cached,
        sum(output_tokens) AS output, sum(reasoning_tokens) AS reasoning, bool_or(estimated) AS estimated, sum(cost_usd) AS cost,
        sum(duration_ms) AS duration
    FROM ledger_attempts GROUP BY call_id, created_at) AS s ON s.call_id = r.call AND s.created_at = r.at
-- a call with an attempt before the last migration and another one after it
ON CONFLICT (id, created_at) DO UPDATE SET rank = greatest(e.rank, excluded.rank),
    trace_id = CASE WHEN excluded.rank > e.rank THEN excluded.trace_id ELSE e.trace_id END,
    provider = CASE WHEN excluded.rank > e.rank THEN excluded.provider ELSE e.provider END,
    model = CASE WHEN excluded.rank > e.rank THEN excluded.model ELSE e.model END,
    outcome = CASE WHEN excluded.rank > e.rank THEN excluded.outcome ELSE e.outcome END,
    finish_reason = CASE WHEN excluded.rank > e.rank THEN excluded.finish_reason ELSE e.finish_reason END,
    time_to_first_token_ms = CASE WHEN excluded.rank > e.rank THEN excluded.time_to_first_token_ms ELSE e.time_to_first_token_ms END,
    attempts = excluded.attempts,
    input_tokens = excluded.input_tokens, cached_input_tokens = excluded.cached_input_tokens, output_tokens = excluded.output_tokens,
    reasoning_tokens = excluded.reasoning_tokens, estimated = excluded.estimated, cost_usd = excluded.cost_usd,
    duration_ms = excluded.duration_ms;
