-- True where the model server did not count, for example because the client hung up: the tokens are about right only.
ALTER TABLE llm_requests ADD COLUMN estimated boolean NOT NULL DEFAULT false;
