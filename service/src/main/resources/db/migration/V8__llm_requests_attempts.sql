-- A call may ask several models before one answers: each at which a model worked has a row of its own, since it may have cost.
-- The call's own row, whose id is the call's, is that of its last attempt. Rows from before know no other.
ALTER TABLE llm_requests
    ADD COLUMN call_id uuid,
    ADD COLUMN attempt smallint NOT NULL DEFAULT 1 CHECK (attempt >= 1),
    -- Output tokens are counted without them from now on; rows from before have 0 and all of them in output_tokens.
    ADD COLUMN reasoning_tokens integer NOT NULL DEFAULT 0 CHECK (reasoning_tokens >= 0);
