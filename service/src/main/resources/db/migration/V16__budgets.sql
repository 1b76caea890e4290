-- What may be spent in a day, in a month or at all: by everyone, a team, a user or a key.
CREATE TABLE budgets (
    id         uuid           PRIMARY KEY, -- UUIDv7: its order is the order of creation
    scope      text           NOT NULL CHECK (scope IN ('all', 'team', 'user', 'key')),
    scope_id   text           NOT NULL, -- empty for all
    period     text           NOT NULL CHECK (period IN ('day', 'month', 'none')),
    -- as billionths of a dollar below 2^53, so that Redis counts exactly
    limit_usd  numeric(24,12) NOT NULL CHECK (limit_usd > 0 AND limit_usd <= 9000000),
    hard       boolean        NOT NULL, -- refuses calls; otherwise it only reports
    created_at timestamptz    NOT NULL DEFAULT now(),
    updated_at timestamptz    NOT NULL DEFAULT now(),
    CHECK ((scope = 'all') = (scope_id = '')),
    UNIQUE (scope, scope_id, period)
);

CREATE TRIGGER budgets_changed AFTER INSERT OR UPDATE OR DELETE ON budgets
    FOR EACH STATEMENT EXECUTE FUNCTION identity_changed();

-- What calls have reserved while Redis was away. A call has a row for each of its budgets, and one without a budget,
-- by which another replica finds it if its own is gone.
CREATE TABLE budget_holds (
    call_id   uuid        NOT NULL,
    budget_id uuid        NOT NULL, -- all zeros for none
    day       date        NOT NULL, -- in the configured zone
    nanos     bigint      NOT NULL, -- billionths of a dollar
    owner     text        NOT NULL, -- a replica
    intent    text, -- where the budget is none
    held_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (call_id, budget_id)
);

CREATE INDEX budget_holds_budget ON budget_holds (budget_id, day);
CREATE INDEX budget_holds_owner ON budget_holds (owner, held_at) WHERE intent IS NOT NULL;

-- What a budget has used since a day, by the ledger.
CREATE FUNCTION budget_ledger_nanos(of_scope text, of_id text, first date) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT ceil(coalesce(sum(cost_usd), 0) * 1000000000)::bigint FROM ledger_totals
            WHERE scope = of_scope AND scope_id = of_id AND (first IS NULL OR day >= first));
END
$$;

-- Reserves an amount for a call in all its budgets, or in none. Returns for each what the others use, and whether it refuses.
-- The lock on the budgets makes those who reserve come one after the other; each statement sees what was committed before.
CREATE FUNCTION budget_reserve(
    of_call uuid, by_owner text, on_day date, its_intent text, amount bigint, ids uuid[], firsts date[])
    RETURNS TABLE (place integer, used bigint, refuses boolean) LANGUAGE plpgsql AS $$
DECLARE
    wanted record;
    any_refuses boolean := false;
BEGIN
    PERFORM FROM budgets WHERE id = ANY (ids) ORDER BY id FOR UPDATE;
    FOR wanted IN
        SELECT n.place::integer AS place, n.first, b.* FROM unnest(ids, firsts) WITH ORDINALITY AS n (budget, first, place)
        JOIN budgets b ON b.id = n.budget ORDER BY n.place
    LOOP
        SELECT budget_ledger_nanos(wanted.scope, wanted.scope_id, wanted.first) + coalesce(sum(h.nanos), 0) INTO used
            FROM budget_holds h
            WHERE h.budget_id = wanted.id AND h.call_id <> of_call AND (wanted.first IS NULL OR h.day >= wanted.first);
        place := wanted.place;
        refuses := wanted.hard AND (used >= floor(wanted.limit_usd * 1000000000)
            OR used + amount > floor(wanted.limit_usd * 1000000000));
        any_refuses := any_refuses OR refuses;
        RETURN NEXT;
    END LOOP;
    IF NOT any_refuses THEN
        INSERT INTO budget_holds (call_id, budget_id, day, nanos, owner, intent)
            SELECT of_call, '00000000-0000-0000-0000-000000000000', on_day, 0, by_owner, its_intent
            UNION ALL SELECT of_call, n.budget, on_day, amount, by_owner, NULL FROM unnest(ids) AS n (budget)
            ON CONFLICT (call_id, budget_id) DO UPDATE SET nanos = excluded.nanos, intent = excluded.intent;
    END IF;
END
$$;

-- A call that is in the ledger needs no hold.
CREATE FUNCTION budget_holds_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM budget_holds h USING written w WHERE h.call_id = w.id;
    RETURN NULL;
END
$$;

CREATE TRIGGER budget_holds_end AFTER INSERT ON ledger_entries
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION budget_holds_end();
