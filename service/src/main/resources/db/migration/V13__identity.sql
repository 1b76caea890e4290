-- Teams, users, and their keys. A limit that is null has its default in the configuration.
CREATE TABLE teams (
    id                  text        PRIMARY KEY, -- chosen by an administrator
    name                text,
    requests_per_minute integer     CHECK (requests_per_minute > 0),
    tokens_per_minute   integer     CHECK (tokens_per_minute > 0),
    parallel_calls      integer     CHECK (parallel_calls > 0),
    blocked_at          timestamptz,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE users (
    id                  text        PRIMARY KEY, -- what user_id is in other tables
    name                text,
    role                text        NOT NULL CHECK (role IN ('admin', 'member')),
    team_id             text        REFERENCES teams,
    requests_per_minute integer     CHECK (requests_per_minute > 0),
    tokens_per_minute   integer     CHECK (tokens_per_minute > 0),
    parallel_calls      integer     CHECK (parallel_calls > 0),
    blocked_at          timestamptz,
    -- once the user is being erased: what replaces the id in the ledger and the audit log
    pseudonym           text,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX users_team ON users (team_id) WHERE team_id IS NOT NULL;
CREATE INDEX users_erased ON users (id) WHERE pseudonym IS NOT NULL;

CREATE TABLE api_keys (
    id                  uuid        PRIMARY KEY, -- UUIDv7: its order is the order of creation
    prefix              text        NOT NULL UNIQUE, -- public
    sha256              bytea       NOT NULL CHECK (length(sha256) = 32), -- of the whole key
    user_id             text        NOT NULL REFERENCES users ON DELETE CASCADE,
    name                text,
    models              text[]      NOT NULL DEFAULT '{}', -- empty: all
    permissions         text[]      NOT NULL DEFAULT '{}', -- empty: all
    addresses           text[]      NOT NULL DEFAULT '{}', -- CIDR blocks; empty: all
    requests_per_minute integer     CHECK (requests_per_minute > 0),
    tokens_per_minute   integer     CHECK (tokens_per_minute > 0),
    parallel_calls      integer     CHECK (parallel_calls > 0),
    expires_at          timestamptz,
    revoked_at          timestamptz,
    replaced_by         uuid, -- the key that a rotation has made
    last_used_at        timestamptz, -- to the minute or so
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX api_keys_user ON api_keys (user_id, id);

-- Grows with every change that a replica must see. The lock on its one row makes the transactions that
-- change users, teams or keys commit in the order of their versions, so that no replica misses one.
CREATE TABLE identity_version (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version  bigint  NOT NULL
);
INSERT INTO identity_version (version) VALUES (1);

CREATE FUNCTION identity_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE identity_version SET version = version + 1;
    RETURN NULL;
END
$$;

CREATE TRIGGER teams_changed AFTER INSERT OR UPDATE OR DELETE ON teams
    FOR EACH STATEMENT EXECUTE FUNCTION identity_changed();
CREATE TRIGGER users_changed AFTER INSERT OR UPDATE OR DELETE ON users
    FOR EACH STATEMENT EXECUTE FUNCTION identity_changed();
-- not for last_used_at
CREATE TRIGGER api_keys_changed AFTER INSERT OR DELETE OR UPDATE OF
    user_id, models, permissions, addresses, requests_per_minute, tokens_per_minute, parallel_calls,
    expires_at, revoked_at ON api_keys
    FOR EACH STATEMENT EXECUTE FUNCTION identity_changed();

-- What administrators changed. Never holds a key or a hash.
CREATE TABLE admin_audit (
    id          uuid        PRIMARY KEY, -- UUIDv7: its order is the order of the actions
    at          timestamptz NOT NULL DEFAULT now(),
    actor       text        NOT NULL, -- a user's id, or the pseudonym of an erased one
    actor_key   text        NOT NULL, -- the id of the key
    address     text        NOT NULL,
    request_id  text        NOT NULL,
    action      text        NOT NULL, -- such as user.block
    target_type text        NOT NULL, -- user, team or key
    target_id   text        NOT NULL,
    user_id     text, -- whom it concerns: the target, or the owner of the key; null for a team
    before      jsonb, -- null if the target was created
    after       jsonb -- null if it was deleted
);

CREATE INDEX admin_audit_target ON admin_audit (target_type, target_id, id);
CREATE INDEX admin_audit_actor ON admin_audit (actor, id);
CREATE INDEX admin_audit_user ON admin_audit (user_id, id) WHERE user_id IS NOT NULL;

-- Whoever has files or entries in the ledger from before, so that they can be administered, exported and erased.
-- Not the user admin, to whom the start gives the role of an administrator if the configuration has a key of it.
INSERT INTO users (id, role)
WITH RECURSIVE seen (user_id) AS ( -- a step in the index for each user, however many rows they have
    (SELECT user_id FROM llm_requests ORDER BY user_id LIMIT 1)
    UNION ALL
    SELECT (SELECT r.user_id FROM llm_requests r WHERE r.user_id > seen.user_id ORDER BY r.user_id LIMIT 1)
    FROM seen WHERE seen.user_id IS NOT NULL
)
SELECT user_id, 'member' FROM (SELECT user_id FROM seen UNION SELECT user_id FROM documents) AS known
WHERE user_id ~ '^[^[:space:][:cntrl:]:,/]{1,64}$' AND user_id NOT IN ('.', '..', 'admin');
