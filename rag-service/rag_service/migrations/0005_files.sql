-- A file waits here until it is read; then its passages are documents and its bytes are dropped.
CREATE TABLE files (
    tenant       text        NOT NULL CHECK (tenant <> '' AND tenant <> '*'),
    id           text        NOT NULL,
    name         text        NOT NULL,
    media_type   text        NOT NULL,
    source       text        NOT NULL,
    title        text,
    author       text,
    published_at timestamptz,
    readers      text[]      NOT NULL DEFAULT '{}',
    content      bytea,
    state        text        NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'reading', 'done', 'failed')),
    passages     integer     NOT NULL DEFAULT 0,
    stored       integer     NOT NULL DEFAULT 0,
    error        text,
    stored_by    text        NOT NULL,
    stored_at    timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant, id)
);
CREATE INDEX files_unread ON files (stored_at) WHERE state IN ('waiting', 'reading');
CREATE INDEX tenant_documents_content ON tenant_documents (tenant, content_hash);

ALTER TABLE files ENABLE ROW LEVEL SECURITY;
ALTER TABLE files FORCE ROW LEVEL SECURITY;
CREATE POLICY of_the_organisation ON files
    USING (
        (tenant = current_setting('rag.tenant', true)
            AND (readers = '{}' OR readers && string_to_array(current_setting('rag.roles', true), ',')))
        OR current_setting('rag.tenant', true) = '*'
    )
    WITH CHECK (tenant = current_setting('rag.tenant', true) OR current_setting('rag.tenant', true) = '*');
