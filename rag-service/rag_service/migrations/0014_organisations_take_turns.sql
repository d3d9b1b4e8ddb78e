-- The newest documents of each organisation that wait for a vector are found at once, however many another's wait.
CREATE INDEX tenant_documents_turns ON tenant_documents (tenant, embedding_model, published_at DESC)
    WHERE NOT embedding_refused;
