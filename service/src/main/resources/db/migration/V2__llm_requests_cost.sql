-- What the request cost by the price that held then, in USD; null where the model had none.
ALTER TABLE llm_requests ADD COLUMN cost_usd numeric(24, 12) CHECK (cost_usd >= 0);
