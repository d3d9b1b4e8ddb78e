-- Documents that people and services store belong to an organisation and live in a table of their own. Row level
-- security there lets a transaction see those of the organisation that it names (documents/access_repository.py) and of
-- no other; background work names '*'. The feed's tweets stay in 'documents', which is shared: under row level security
-- no search by words could use its index, because @@ is not marked leakproof.
CREATE TABLE tenant_documents (
    tenant            text        NOT NULL CHECK (tenant <> '' AND tenant <> '*'),
    id                text        NOT NULL CHECK (lower(id) NOT LIKE 'tweet:%'),
    published_at      timestamptz NOT NULL,
    origin            text        NOT NULL CHECK (origin IN ('upload', 'file', 'analysis')),
    stored_by         text        NOT NULL,
    -- Roles that may read it; empty: the whole organisation.
    readers           text[]      NOT NULL DEFAULT '{}',
    source            text        NOT NULL,
    author            text,
    title             text,
    url               text,
    text              text        NOT NULL,
    entities          text[]      NOT NULL DEFAULT '{}',
    metadata          jsonb       NOT NULL DEFAULT '{}',
    content_hash      text        NOT NULL,
    stored_at         timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    embedding         halfvec,
    embedding_model   text,
    embedding_refused boolean     NOT NULL DEFAULT false,
    searched          text        NOT NULL,
    words_hash        text,
    lexemes           tsvector    GENERATED ALWAYS AS (rag_lexemes(searched)) STORED,
    PRIMARY KEY (tenant, id)
);

CREATE INDEX tenant_documents_source ON tenant_documents (tenant, source, published_at);
CREATE INDEX tenant_documents_words ON tenant_documents (tenant, words_hash) WHERE words_hash IS NOT NULL;
CREATE INDEX tenant_documents_pending ON tenant_documents (embedding_model) WHERE NOT embedding_refused;

INSERT INTO tenant_documents (tenant, id, published_at, origin, stored_by, source, author, title, url, text, entities,
    metadata, content_hash, stored_at, updated_at, embedding, embedding_model, embedding_refused, searched, words_hash)
SELECT 'default', id, published_at, 'upload', 'unknown', source, author, title, url, text, entities, metadata,
    content_hash, stored_at, updated_at, embedding, embedding_model, embedding_refused, coalesce(searched, text), words_hash
FROM documents WHERE source <> 'twitter';
DELETE FROM documents WHERE source <> 'twitter';

CREATE TABLE erasures (
    number      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant      text        NOT NULL,
    document_id text        NOT NULL,
    erased_by   text        NOT NULL,
    erased_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX erasures_tenant ON erasures (tenant, number);

ALTER TABLE tenant_documents ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant_documents FORCE ROW LEVEL SECURITY;
CREATE POLICY of_the_organisation ON tenant_documents
    USING (
        (tenant = current_setting('rag.tenant', true)
            AND (readers = '{}' OR readers && string_to_array(current_setting('rag.roles', true), ',')))
        OR current_setting('rag.tenant', true) = '*'
    )
    WITH CHECK (tenant = current_setting('rag.tenant', true) OR current_setting('rag.tenant', true) = '*');

ALTER TABLE erasures ENABLE ROW LEVEL SECURITY;
ALTER TABLE erasures FORCE ROW LEVEL SECURITY;
CREATE POLICY of_the_organisation ON erasures
    USING (tenant = current_setting('rag.tenant', true))
    WITH CHECK (tenant = current_setting('rag.tenant', true) OR tenant = '');

ALTER TABLE documents ADD COLUMN datasets text[] NOT NULL DEFAULT '{}';
CREATE INDEX documents_datasets ON documents USING gin (datasets);

-- What searches read: the shared documents, of tenant '', and those that row level security lets through.
CREATE VIEW readable_documents WITH (security_invoker = true) AS
SELECT ''::text AS tenant, id, published_at, 'feed'::text AS origin, NULL::text AS stored_by,
       source, author, title, url, text, entities, metadata, content_hash, stored_at, updated_at,
       embedding, embedding_model, embedding_refused, words_hash, axes, places, datasets, lexemes
FROM documents
UNION ALL
SELECT tenant, id, published_at, origin, stored_by,
       source, author, title, url, text, entities, metadata, content_hash, stored_at, updated_at,
       embedding, embedding_model, embedding_refused, words_hash, '{}'::text[], '{}'::text[], '{}'::text[], lexemes
FROM tenant_documents;
