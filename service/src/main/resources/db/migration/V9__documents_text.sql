-- How the bytes of a text file were read; null for formats that say it themselves, and for files from before.
ALTER TABLE documents
    ADD COLUMN encoding         text,
    ADD COLUMN encoding_certain boolean;

-- The headings above the passage, the outermost first; empty where it has none.
ALTER TABLE document_chunks ADD COLUMN heading text NOT NULL DEFAULT '';
