-- A user's files on their way to the index: the row is the job too. A worker takes what is due and pending, and makes it
-- due again at the end of its lease: who dies or loses the lease loses nothing but time. Times of the queue are the
-- database's, so that clocks of replicas need not agree.
CREATE TABLE documents (
    id              uuid        PRIMARY KEY, -- UUIDv7: its order is the order of uploads
    user_id         text        NOT NULL,
    filename        text        NOT NULL,
    purpose         text        NOT NULL,
    media_type      text        NOT NULL,
    bytes           bigint      NOT NULL DEFAULT 0,
    sha256          text, -- null until the upload has ended
    created_at      timestamptz NOT NULL DEFAULT now(),
    stage           text        NOT NULL CHECK (stage IN ('store', 'extract', 'chunk', 'embed', 'index', 'delete')),
    state           text        NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done', 'failed')),
    attempts        integer     NOT NULL DEFAULT 0,
    due_at          timestamptz NOT NULL,
    lease           uuid, -- of the worker that has it
    error_code      text,
    error_message   text,
    chunks          integer     NOT NULL DEFAULT 0,
    chunks_done     integer     NOT NULL DEFAULT 0, -- of the current stage
    embedding_model text,
    searchable_at   timestamptz,
    upload_trace    text        NOT NULL, -- traceparent of the upload, then of the processing
    ingestion_trace text
);

CREATE INDEX documents_due ON documents (due_at) WHERE state = 'pending';
CREATE INDEX documents_user ON documents (user_id, id);
-- The same content is kept once for each user.
CREATE UNIQUE INDEX documents_content ON documents (user_id, sha256) WHERE sha256 IS NOT NULL AND stage <> 'delete';

-- Passages of a document, in its order.
CREATE TABLE document_chunks (
    document_id uuid    NOT NULL REFERENCES documents ON DELETE CASCADE,
    ordinal     integer NOT NULL,
    page        integer, -- from 1; null where the format has none
    text        text    NOT NULL,
    tokens      integer NOT NULL,
    words       tsvector,
    embedding   real[], -- of length 1, by the document's embedding_model
    PRIMARY KEY (document_id, ordinal)
);

CREATE INDEX document_chunks_words ON document_chunks USING gin (words);
