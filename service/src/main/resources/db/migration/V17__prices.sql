-- Prices that administrators imported. A row is never changed or deleted, and none begins in the past, so that the
-- cost of a call that is over stays what it was.
CREATE TABLE prices (
    id           uuid        NOT NULL UNIQUE, -- UUIDv7: its order is the order of the imports
    provider     text        NOT NULL, -- its name in the configuration
    model        text        NOT NULL,
    valid_from   timestamptz NOT NULL,
    revision     integer     NOT NULL CHECK (revision > 0), -- the highest one counts
    -- USD per million tokens; null: as input or as output
    input        numeric     CHECK (input >= 0),
    cached_input numeric     CHECK (cached_input >= 0),
    cache_write  numeric     CHECK (cache_write >= 0),
    audio_input  numeric     CHECK (audio_input >= 0),
    output       numeric     CHECK (output >= 0),
    reasoning    numeric     CHECK (reasoning >= 0),
    audio_output numeric     CHECK (audio_output >= 0),
    tiers        jsonb       NOT NULL, -- for long prompts: above, and the same amounts
    source       text        NOT NULL, -- the kind of file
    import_id    uuid        NOT NULL, -- target_id of the action in admin_audit
    imported_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (provider, model, valid_from, revision)
);

CREATE FUNCTION prices_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        RAISE EXCEPTION 'prices are never changed or deleted' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.valid_from < now() THEN
        RAISE EXCEPTION 'a price cannot begin in the past' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER prices_only_grow BEFORE INSERT OR UPDATE OR DELETE ON prices
    FOR EACH ROW EXECUTE FUNCTION prices_only_grow();
CREATE TRIGGER prices_are_kept BEFORE TRUNCATE ON prices
    FOR EACH STATEMENT EXECUTE FUNCTION prices_only_grow();

-- Replicas read the prices again when this version grows.
CREATE TRIGGER prices_changed AFTER INSERT ON prices
    FOR EACH STATEMENT EXECUTE FUNCTION identity_changed();
