-- Since when a document waits: the end of its upload, or the last retry by hand. What is retried after weeks did not wait for weeks.
ALTER TABLE documents ADD COLUMN queued_at timestamptz NOT NULL DEFAULT now();
UPDATE documents SET queued_at = created_at;
