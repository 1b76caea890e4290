-- A client names its request by this id, and support looks for it. Months to come get the index with their partition.
CREATE INDEX llm_requests_request_id ON llm_requests (request_id);
