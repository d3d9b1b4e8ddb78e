-- Which conversation a tweet is part of, and which document of whom it answers. Those of before learn it when they change.
-- The index of conversations is built by the service (retrieval/conversation_index_repository.py), concurrently: here it
-- would keep searches waiting while every document is read.

-- In the order in which searches lock them.
LOCK TABLE readable_documents IN ACCESS EXCLUSIVE MODE;
ALTER TABLE documents
    ADD COLUMN conversation    text,
    ADD COLUMN reply_to        text,
    ADD COLUMN reply_to_author text;

CREATE OR REPLACE VIEW readable_documents WITH (security_invoker = true) AS
SELECT ''::text AS tenant, id, published_at, 'feed'::text AS origin, NULL::text AS stored_by,
       source, author, title, url, text, entities, metadata, content_hash, stored_at, updated_at,
       embedding, embedding_model, embedding_refused, words_hash, axes, places, datasets, lexemes,
       conversation, reply_to, reply_to_author
FROM documents
UNION ALL
SELECT tenant, id, published_at, origin, stored_by,
       source, author, title, url, text, entities, metadata, content_hash, stored_at, updated_at,
       embedding, embedding_model, embedding_refused, words_hash, '{}'::text[], '{}'::text[], '{}'::text[], lexemes,
       NULL, NULL, NULL
FROM tenant_documents;
