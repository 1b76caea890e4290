-- The ledger: one row per call, with its attempts below it. The id is the service's own UUIDv7, created_at the time inside that id,
-- so that the partition follows from the id alone. Prompts and answers are never stored.
CREATE TABLE ledger_entries (
    id                     uuid        NOT NULL,
    created_at             timestamptz NOT NULL,
    rank                   smallint    NOT NULL CHECK (rank BETWEEN 1 AND 3), -- only a higher one replaces an entry
    day                    date        NOT NULL, -- in which period of a budget the call counts
    user_id                text        NOT NULL,
    team_id                text,
    key_id                 text,
    end_user               text,
    parent_id              uuid, -- the call that needed this one
    request_id             text        NOT NULL,
    trace_id               text        NOT NULL,
    operation              text        NOT NULL,
    requested_model        text, -- null for calls from before this table
    provider               text        NOT NULL,
    model                  text        NOT NULL, -- that answered, or was asked last
    outcome                text        NOT NULL,
    finish_reason          text,
    streamed               boolean     NOT NULL,
    -- the sums of the attempts; the kinds of tokens are disjoint
    attempts               integer     NOT NULL CHECK (attempts >= 0),
    input_tokens           bigint      NOT NULL CHECK (input_tokens >= 0),
    cached_input_tokens    bigint      NOT NULL CHECK (cached_input_tokens >= 0),
    cache_write_tokens     bigint      NOT NULL DEFAULT 0 CHECK (cache_write_tokens >= 0),
    audio_input_tokens     bigint      NOT NULL DEFAULT 0 CHECK (audio_input_tokens >= 0),
    output_tokens          bigint      NOT NULL CHECK (output_tokens >= 0),
    reasoning_tokens       bigint      NOT NULL CHECK (reasoning_tokens >= 0),
    audio_output_tokens    bigint      NOT NULL DEFAULT 0 CHECK (audio_output_tokens >= 0),
    estimated              boolean     NOT NULL, -- a model server did not count
    cost_usd               numeric(24, 12) CHECK (cost_usd >= 0), -- null: no model had a price
    comparison_usd         numeric(24, 12) CHECK (comparison_usd >= 0),
    duration_ms            bigint      NOT NULL CHECK (duration_ms >= 0),
    time_to_first_token_ms bigint      CHECK (time_to_first_token_ms >= 0), -- of the last attempt
    PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);

CREATE INDEX ledger_entries_user_id_created_at ON ledger_entries (user_id, created_at);
CREATE INDEX ledger_entries_request_id ON ledger_entries (request_id);

CREATE TABLE ledger_attempts (
    call_id                uuid        NOT NULL,
    created_at             timestamptz NOT NULL, -- the call's
    number                 integer     NOT NULL CHECK (number >= 1),
    provider               text        NOT NULL,
    model                  text        NOT NULL,
    outcome                text        NOT NULL,
    worked                 boolean     NOT NULL, -- so that it may have cost something
    finish_reason          text,
    input_tokens           bigint      NOT NULL CHECK (input_tokens >= 0),
    cached_input_tokens    bigint      NOT NULL CHECK (cached_input_tokens >= 0),
    cache_write_tokens     bigint      NOT NULL DEFAULT 0 CHECK (cache_write_tokens >= 0),
    audio_input_tokens     bigint      NOT NULL DEFAULT 0 CHECK (audio_input_tokens >= 0),
    output_tokens          bigint      NOT NULL CHECK (output_tokens >= 0),
    reasoning_tokens       bigint      NOT NULL CHECK (reasoning_tokens >= 0),
    audio_output_tokens    bigint      NOT NULL DEFAULT 0 CHECK (audio_output_tokens >= 0),
    estimated              boolean     NOT NULL,
    cost_usd               numeric(24, 12) CHECK (cost_usd >= 0),
    comparison_usd         numeric(24, 12) CHECK (comparison_usd >= 0),
    price_version          text,
    duration_ms            bigint      NOT NULL CHECK (duration_ms >= 0),
    time_to_first_token_ms bigint      CHECK (time_to_first_token_ms >= 0),
    PRIMARY KEY (call_id, created_at, number)
) PARTITION BY RANGE (created_at);

-- They take what no month's partition takes, so that no insert ever fails for lack of one.
CREATE TABLE ledger_entries_default PARTITION OF ledger_entries DEFAULT;
CREATE TABLE ledger_attempts_default PARTITION OF ledger_attempts DEFAULT;

-- Creates a table's partition of the month (UTC) that holds the given time, if there is none; rows of that month that went to the
-- default partition move over. Returns whether it created one. Safe to call from several replicas at once.
CREATE FUNCTION ledger_ensure_partition(parent text, within timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    month       timestamp   := date_trunc('month', within AT TIME ZONE 'UTC');
    month_start timestamptz := month AT TIME ZONE 'UTC';
    month_end   timestamptz := (month + interval '1 month') AT TIME ZONE 'UTC';
    partition   text        := parent || '_' || to_char(month, 'YYYY_MM');
BEGIN
    IF to_regclass(partition) IS NOT NULL THEN
        RETURN false;
    END IF;
    -- Inserts wait until the end of this transaction; else one that was on its way to the default partition would fail.
    EXECUTE format('LOCK TABLE ONLY %I IN SHARE ROW EXCLUSIVE MODE', parent);
    IF to_regclass(partition) IS NOT NULL THEN -- another replica was faster
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', partition, parent);
    EXECUTE format('WITH moved AS (DELETE FROM %I WHERE created_at >= %L AND created_at < %L RETURNING *)'
                   ' INSERT INTO %I SELECT * FROM moved', parent || '_default', month_start, month_end, partition);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   parent, partition, month_start, month_end);
    RETURN true;
END
$$;

CREATE FUNCTION ledger_ensure_partitions(within timestamptz) RETURNS void LANGUAGE sql AS $$
    SELECT ledger_ensure_partition('ledger_entries', within);
    SELECT ledger_ensure_partition('ledger_attempts', within);
$$;

-- Drops the oldest month's partition of a table whose rows are all before the given time, and returns its name; null if there is
-- none. One at a time, so that a lock is held shortly.
CREATE FUNCTION ledger_drop_partition(before timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    found text;
BEGIN
    SELECT c.relname INTO found
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent IN ('ledger_entries'::regclass, 'ledger_attempts'::regclass)
          AND c.relname ~ '_\d{4}_\d{2}$'
          AND make_timestamptz(left(right(c.relname, 7), 4)::int, right(c.relname, 2)::int, 1, 0, 0, 0, 'UTC') + interval '1 month' <= before
        ORDER BY right(c.relname, 7), c.relname LIMIT 1;
    IF found IS NOT NULL THEN
        EXECUTE format('DROP TABLE %I', found);
    END IF;
    RETURN found;
END
$$;

-- What all entries add up to, by day: also those whose partition is gone. So no budget's sum depends on retention.
CREATE TABLE ledger_totals (
    scope         text           NOT NULL CHECK (scope IN ('all', 'team', 'user', 'key')),
    scope_id      text           NOT NULL, -- empty for all
    day           date           NOT NULL,
    calls         bigint         NOT NULL,
    input_tokens  bigint         NOT NULL, -- of all kinds
    output_tokens bigint         NOT NULL, -- of all kinds
    cost_usd      numeric(30, 12) NOT NULL,
    PRIMARY KEY (scope, scope_id, day)
);

-- Only statements on the whole table fire these, so moving rows between partitions and dropping one change no total. The totals are
-- locked in the order of their key, so that no two transactions wait for each other.
CREATE FUNCTION ledger_entries_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ledger_totals AS t (scope, scope_id, day, calls, input_tokens, output_tokens, cost_usd)
        SELECT s.scope, s.id, e.day, count(*),
            sum(e.input_tokens + e.cached_input_tokens + e.cache_write_tokens + e.audio_input_tokens),
            sum(e.output_tokens + e.reasoning_tokens + e.audio_output_tokens),
            sum(coalesce(e.cost_usd, 0))
        FROM added e CROSS JOIN LATERAL
            (VALUES ('all', ''), ('team', e.team_id), ('user', e.user_id), ('key', e.key_id)) AS s (scope, id)
        WHERE s.id IS NOT NULL
        GROUP BY s.scope, s.id, e.day
        ORDER BY s.scope, s.id, e.day
    ON CONFLICT (scope, scope_id, day) DO UPDATE SET
        calls = t.calls + excluded.calls,
        input_tokens = t.input_tokens + excluded.input_tokens,
        output_tokens = t.output_tokens + excluded.output_tokens,
        cost_usd = t.cost_usd + excluded.cost_usd;
    RETURN NULL;
END
$$;

-- Adds the difference, also where the user or the day is another one now.
CREATE FUNCTION ledger_entries_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ledger_totals AS t (scope, scope_id, day, calls, input_tokens, output_tokens, cost_usd)
        SELECT s.scope, s.id, e.day, sum(e.sign), sum(e.sign * e.input), sum(e.sign * e.output), sum(e.sign * e.cost)
        FROM (
            SELECT e.sign, e.day, e.team_id, e.user_id, e.key_id,
                e.input_tokens + e.cached_input_tokens + e.cache_write_tokens + e.audio_input_tokens AS input,
                e.output_tokens + e.reasoning_tokens + e.audio_output_tokens AS output,
                coalesce(e.cost_usd, 0) AS cost
            FROM (SELECT -1 AS sign, r.* FROM removed r UNION ALL SELECT 1, a.* FROM added a) AS e) AS e
        CROSS JOIN LATERAL
            (VALUES ('all', ''), ('team', e.team_id), ('user', e.user_id), ('key', e.key_id)) AS s (scope, id)
        WHERE s.id IS NOT NULL
        GROUP BY s.scope, s.id, e.day
        HAVING sum(e.sign) <> 0 OR sum(e.sign * e.input) <> 0 OR sum(e.sign * e.output) <> 0 OR sum(e.sign * e.cost) <> 0
        ORDER BY s.scope, s.id, e.day
    ON CONFLICT (scope, scope_id, day) DO UPDATE SET
        calls = t.calls + excluded.calls,
        input_tokens = t.input_tokens + excluded.input_tokens,
        output_tokens = t.output_tokens + excluded.output_tokens,
        cost_usd = t.cost_usd + excluded.cost_usd;
    -- whoever was erased leaves no name
    DELETE FROM ledger_totals t USING (SELECT DISTINCT user_id, day FROM removed) AS r
        WHERE t.scope = 'user' AND t.scope_id = r.user_id AND t.day = r.day AND t.calls = 0;
    RETURN NULL;
END
$$;

CREATE TRIGGER ledger_entries_inserted AFTER INSERT ON ledger_entries
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger_entries_inserted();
CREATE TRIGGER ledger_entries_updated AFTER UPDATE ON ledger_entries
    REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger_entries_updated();

-- The time in a UUIDv7; another time for an id that is none.
CREATE FUNCTION ledger_time(id uuid, otherwise timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN substr(id::text, 15, 1) = '7'
        THEN to_timestamp(('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 1000.0) ELSE otherwise END;
$$;

-- What the attempts of each call add up to.
CREATE VIEW ledger_attempt_sums AS
    SELECT call_id, created_at, count(*) AS attempts, sum(input_tokens) AS input, sum(cached_input_tokens) AS cached,
        sum(output_tokens) AS output, sum(reasoning_tokens) AS reasoning, bool_or(estimated) AS estimated, sum(cost_usd) AS cost,
        sum(duration_ms) AS duration
    FROM ledger_attempts GROUP BY call_id, created_at;

-- Replicas of the previous release write each attempt to llm_requests: the last one with the call's id, earlier ones before or
-- after it. Such a row becomes an attempt and, with the others, an entry. Nothing is stored in llm_requests any more.
CREATE FUNCTION llm_requests_redirect() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    its_call uuid        := coalesce(NEW.call_id, NEW.id);
    own      boolean     := its_call = NEW.id;
    at       timestamptz := CASE WHEN own THEN NEW.created_at ELSE ledger_time(its_call, NEW.created_at) END;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(its_call::text, 0)); -- another attempt of the call may be on its way
    IF NEW.outcome <> 'cached' THEN
        INSERT INTO ledger_attempts (call_id, created_at, number, provider, model, outcome, worked, finish_reason, input_tokens,
            cached_input_tokens, output_tokens, reasoning_tokens, estimated, cost_usd, duration_ms, time_to_first_token_ms)
        VALUES (its_call, at, NEW.attempt, NEW.provider, NEW.model, NEW.outcome, NEW.outcome <> 'rejected', NEW.finish_reason,
            NEW.input_tokens, NEW.cached_input_tokens, NEW.output_tokens, NEW.reasoning_tokens, NEW.estimated, NEW.cost_usd,
            NEW.duration_ms, NEW.time_to_first_token_ms)
        ON CONFLICT DO NOTHING;
    END IF;
    -- an attempt before the call's own row is an entry of the lowest rank until that row arrives
    INSERT INTO ledger_entries AS e (id, created_at, rank, day, user_id, end_user, request_id, trace_id, operation, provider, model,
        outcome, finish_reason, streamed, attempts, input_tokens, cached_input_tokens, output_tokens, reasoning_tokens, estimated,
        cost_usd, duration_ms, time_to_first_token_ms)
    VALUES (its_call, at, CASE WHEN own THEN 3 ELSE 1 END, (at AT TIME ZONE 'UTC')::date, NEW.user_id,
        NEW.end_user, NEW.request_id, NEW.trace_id, NEW.operation, NEW.provider, NEW.model, NEW.outcome, NEW.finish_reason,
        NEW.streamed, 0, 0, 0, 0, 0, false, CASE WHEN NEW.outcome = 'cached' THEN NEW.cost_usd END, 0, NEW.time_to_first_token_ms)
    ON CONFLICT (id, created_at) DO UPDATE SET rank = excluded.rank, trace_id = excluded.trace_id, provider = excluded.provider,
        model = excluded.model, outcome = excluded.outcome, finish_reason = excluded.finish_reason,
        time_to_first_token_ms = excluded.time_to_first_token_ms
        WHERE e.rank = 1 AND excluded.rank > e.rank;
    -- The entry is locked now, so a statement that begins now sees every attempt that it lacks.
    UPDATE ledger_entries e SET attempts = s.attempts, input_tokens = s.input, cached_input_tokens = s.cached,
        output_tokens = s.output, reasoning_tokens = s.reasoning, estimated = s.estimated, cost_usd = s.cost,
        duration_ms = s.duration, rank = CASE WHEN e.rank = 1 THEN 1 WHEN s.estimated THEN 2 ELSE 3 END
        FROM ledger_attempt_sums s
        WHERE e.id = its_call AND e.created_at = at AND s.call_id = its_call AND s.created_at = at AND s.attempts <> e.attempts;
    RETURN NULL;
END
$$;

-- While nobody else sees the tables: later it would lock them.
SELECT ledger_ensure_partitions(month)
    FROM (SELECT DISTINCT date_trunc('month', created_at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS month FROM llm_requests) AS months;

CREATE TRIGGER llm_requests_redirect BEFORE INSERT ON llm_requests
    FOR EACH ROW EXECUTE FUNCTION llm_requests_redirect();

-- Whose entries get a pseudonym although they arrive, from a spool, after the user was erased.
CREATE TABLE ledger_erased (
    user_sha256 bytea       PRIMARY KEY,
    pseudonym   text        NOT NULL,
    erased_at   timestamptz NOT NULL -- later calls are those of another user with the same id
);

-- A replica of the previous release erases a user only where it knows: the rest follows with the user.
CREATE FUNCTION ledger_user_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ledger_erased (user_sha256, pseudonym, erased_at) VALUES (sha256(convert_to(OLD.id, 'UTF8')), OLD.pseudonym, now())
        ON CONFLICT (user_sha256) DO UPDATE SET pseudonym = excluded.pseudonym, erased_at = excluded.erased_at;
    UPDATE ledger_entries SET user_id = OLD.pseudonym, end_user = NULL, request_id = 'erased' WHERE user_id = OLD.id;
    RETURN NULL;
END
$$;

CREATE TRIGGER ledger_user_erased AFTER DELETE ON users
    FOR EACH ROW WHEN (OLD.pseudonym IS NOT NULL) EXECUTE FUNCTION ledger_user_erased();
