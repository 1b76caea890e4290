-- All of it is in the ledger, and nothing is added any more. A migration of its own: it must lock the table, which V15 must not.
TRUNCATE llm_requests;
