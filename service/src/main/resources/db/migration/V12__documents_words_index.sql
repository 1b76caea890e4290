-- The word index leads with the owner if PostgreSQL has btree_gin and the role may create it; otherwise WordIndex says what to
-- do. It is empty now, so that even a large table takes one scan only, and searches go on meanwhile: this is a migration of
-- its own because those before it lock the tables for everyone. Without any passage, nothing needs the index of all users' words.
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS btree_gin;
    CREATE INDEX document_chunks_user_words ON document_chunks USING gin (user_id, words) WHERE user_id IS NOT NULL;
    IF NOT EXISTS (SELECT 1 FROM document_chunks) THEN
        DROP INDEX document_chunks_words;
    END IF;
EXCEPTION
    WHEN insufficient_privilege OR feature_not_supported OR undefined_file OR undefined_object THEN
        RAISE NOTICE 'btree_gin is not available: %', SQLERRM;
END
$$;
