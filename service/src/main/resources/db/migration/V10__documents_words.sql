-- Each document has its own language, and its words are PostgreSQL's of that language. The version is that of the rules by
-- which its words were made: 0 is "as PostgreSQL divides the text". Workers remake older ones, which stay searchable meanwhile.
ALTER TABLE documents
    ADD COLUMN language      text, -- ISO 639-1; null where unsure
    ADD COLUMN text_search   text, -- the configuration of the words; null for version 0
    ADD COLUMN index_version smallint NOT NULL DEFAULT 0;

CREATE INDEX documents_outdated ON documents (due_at) WHERE state = 'done' AND index_version < 1;

-- Passages of version 0 have neither. They are not filled here, because a large table would be locked for minutes.
ALTER TABLE document_chunks
    ADD COLUMN user_id     text, -- the document's
    ADD COLUMN text_search text; -- the configuration that made the words of this passage

-- The word index leads with the owner if PostgreSQL has btree_gin and the role may create it; otherwise WordIndex says what to
-- do. It is empty now, so that even a large table is locked for one scan only.
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS btree_gin;
    CREATE INDEX document_chunks_user_words ON document_chunks USING gin (user_id, words) WHERE user_id IS NOT NULL;
EXCEPTION
    WHEN insufficient_privilege OR feature_not_supported OR undefined_file OR undefined_object THEN
        RAISE NOTICE 'btree_gin is not available: %', SQLERRM;
END
$$;
