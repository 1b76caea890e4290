-- Each document has its own language, and its words are PostgreSQL's of that language. The version is that of the rules by
-- which its words were made: 0 is "as PostgreSQL divides the text". Workers remake older ones, which stay searchable meanwhile.
ALTER TABLE documents
    ADD COLUMN language      text, -- ISO 639-1; null where unsure
    ADD COLUMN text_search   text, -- the configuration of the words; null for version 0
    ADD COLUMN index_version smallint NOT NULL DEFAULT 0,
    ADD COLUMN reindex_attempts smallint NOT NULL DEFAULT 0; -- begun since the words were last complete

-- Serves INDEX_VERSION 1 only: whoever counts on makes another index with the next number.
CREATE INDEX documents_outdated ON documents (due_at) WHERE state = 'done' AND index_version < 1;

-- Passages of version 0 have neither. They are not filled here, because a large table would be locked for minutes.
ALTER TABLE document_chunks
    ADD COLUMN user_id     text, -- the document's
    ADD COLUMN text_search text; -- the configuration that made the words of this passage

-- A document that is read again loses its passages, and with them their words, whichever release has it read and whichever
-- makes the new ones: older releases do not know the version.
CREATE FUNCTION documents_forget_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.index_version := 0;
    NEW.text_search := NULL;
    NEW.reindex_attempts := 0;
    RETURN NEW;
END
$$;
CREATE TRIGGER documents_read_again BEFORE UPDATE OF stage ON documents
    FOR EACH ROW WHEN (NEW.stage = 'extract') EXECUTE FUNCTION documents_forget_words();
