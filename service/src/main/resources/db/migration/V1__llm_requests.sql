-- One row per LLM request. The id is the service's own UUIDv7, created_at the time inside that id, so that the
-- partition follows from the id alone. Prompts and answers are never stored.
CREATE TABLE llm_requests (
    id                     uuid        NOT NULL,
    created_at             timestamptz NOT NULL,
    user_id                text        NOT NULL,
    end_user               text,
    request_id             text        NOT NULL,
    trace_id               text        NOT NULL,
    model                  text        NOT NULL,
    provider               text        NOT NULL,
    outcome                text        NOT NULL,
    input_tokens           integer     NOT NULL CHECK (input_tokens >= 0),
    cached_input_tokens    integer     NOT NULL CHECK (cached_input_tokens >= 0),
    output_tokens          integer     NOT NULL CHECK (output_tokens >= 0),
    streamed               boolean     NOT NULL,
    duration_ms            bigint      NOT NULL CHECK (duration_ms >= 0),
    time_to_first_token_ms bigint      CHECK (time_to_first_token_ms >= 0),
    finish_reason          text,
    PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);

CREATE INDEX llm_requests_user_id_created_at ON llm_requests (user_id, created_at);

-- Takes what no month's partition takes, so that no insert ever fails for lack of one.
CREATE TABLE llm_requests_default PARTITION OF llm_requests DEFAULT;

-- Creates the partition of the month (UTC) that holds the given time, if there is none; rows of that month that went
-- to the default partition move over. Returns whether it created one. Safe to call from several replicas at once.
CREATE FUNCTION llm_requests_ensure_partition(within timestamptz) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    month       timestamp   := date_trunc('month', within AT TIME ZONE 'UTC');
    month_start timestamptz := month AT TIME ZONE 'UTC';
    month_end   timestamptz := (month + interval '1 month') AT TIME ZONE 'UTC';
    partition   text        := 'llm_requests_' || to_char(month, 'YYYY_MM');
BEGIN
    IF to_regclass(partition) IS NOT NULL THEN
        RETURN false;
    END IF;
    -- Inserts wait until the end of this transaction; else one that was on its way to the default partition would fail.
    LOCK TABLE ONLY llm_requests IN SHARE ROW EXCLUSIVE MODE;
    IF to_regclass(partition) IS NOT NULL THEN -- another replica was faster
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE llm_requests INCLUDING ALL)', partition);
    EXECUTE format('WITH moved AS ('
                   ' DELETE FROM llm_requests_default WHERE created_at >= %L AND created_at < %L RETURNING *)'
                   ' INSERT INTO %I SELECT * FROM moved', month_start, month_end, partition);
    EXECUTE format('ALTER TABLE llm_requests ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   partition, month_start, month_end);
    RETURN true;
END
$$;
