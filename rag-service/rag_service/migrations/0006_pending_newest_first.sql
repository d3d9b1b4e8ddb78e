-- The newest documents that wait for a vector are read in order, however many wait; and documents are counted by model
-- without reading them.
CREATE INDEX documents_waiting ON documents (embedding_model, published_at DESC) WHERE NOT embedding_refused;
CREATE INDEX documents_refused ON documents (published_at) WHERE embedding_refused;
DROP INDEX documents_embedding_model;
CREATE INDEX tenant_documents_waiting ON tenant_documents (embedding_model, published_at DESC) WHERE NOT embedding_refused;
DROP INDEX tenant_documents_pending;
