-- Attempts count against documents.max-attempts only while a document gets no further. "furthest" is the stage and the
-- number of its passages that it has reached since the upload or the last retry by its user, in the order of progress.
-- "deferrals" counts how often JARVIS's own limits deferred it since then; "model_changes" how often its embedding model
-- was replaced.
ALTER TABLE documents
    ADD COLUMN attempts_since_progress integer NOT NULL DEFAULT 0,
    ADD COLUMN deferrals               integer NOT NULL DEFAULT 0,
    ADD COLUMN furthest                bigint  NOT NULL DEFAULT 0,
    ADD COLUMN model_changes           integer NOT NULL DEFAULT 0;
UPDATE documents SET attempts_since_progress = attempts WHERE state = 'pending';
