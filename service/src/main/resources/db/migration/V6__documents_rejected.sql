-- Given up by the file's own fault; what was given up otherwise is a dead letter, and somebody's to mend.
ALTER TABLE documents ADD COLUMN rejected boolean NOT NULL DEFAULT false;
UPDATE documents SET rejected = true
WHERE state = 'failed' AND error_code NOT LIKE '%\_unavailable'
  AND error_code NOT IN ('worker_lost', 'internal_error', 'embedding_model_changed');

-- The queue is read each few seconds, and what waits in it counted by each search: that must not take longer the more
-- documents are done, nor may who takes the next one sort all that wait.
CREATE INDEX documents_unfinished ON documents (user_id, state) WHERE state <> 'done';
CREATE INDEX documents_leased ON documents (user_id) WHERE lease IS NOT NULL;
