-- What the model was asked for: chat or embeddings.
ALTER TABLE llm_requests ADD COLUMN operation text NOT NULL DEFAULT 'chat';
-- True where the model server did not count, for example because the client hung up: the tokens are about right only.
ALTER TABLE llm_requests ADD COLUMN estimated boolean NOT NULL DEFAULT false;
