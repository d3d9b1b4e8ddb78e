CREATE EXTENSION IF NOT EXISTS vector;
CREATE EXTENSION IF NOT EXISTS unaccent;

-- unaccent() is only STABLE because its dictionary is looked up by name; bound at definition, it is immutable.
CREATE FUNCTION rag_unaccent(value text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN unaccent('unaccent'::regdictionary, value);

-- Stems of the text as written and of the text without accents. The Spanish stemmer needs the accents
-- (votación, votaciones -> vot), people leave them out (votacion): both spellings must meet.
CREATE FUNCTION rag_lexemes(value text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN to_tsvector('pg_catalog.spanish'::regconfig, value)
        || to_tsvector('pg_catalog.spanish'::regconfig, rag_unaccent(value));

-- One lexeme as a query, whatever characters it holds.
CREATE FUNCTION rag_term(lexeme text) RETURNS tsquery
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN ('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''')::tsquery;

-- Partitioned by year of publication: old years can be detached, a time filter or as_of leaves partitions out,
-- and each year gets a vector index of its own, built (and rebuilt) in a time that does not grow with the whole.
-- The key must then hold published_at. A tweet's never changes; where an uploaded document's does, the writer
-- moves the row in the same transaction (documents/repository.py), so an id still names one document.
CREATE TABLE documents (
    id                text        NOT NULL,
    published_at      timestamptz NOT NULL,
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
    -- No fixed dimension: rows of an old and a new model live side by side while the change runs.
    embedding         halfvec,
    embedding_model   text,
    -- The encoder refused this very text; it is found by its words only until it changes.
    embedding_refused boolean     NOT NULL DEFAULT false,
    lexemes           tsvector    GENERATED ALWAYS AS (rag_lexemes(coalesce(title, '') || ' ' || text)) STORED,
    PRIMARY KEY (id, published_at)
) PARTITION BY RANGE (published_at);

-- Few partitions, because the planner looks at each: older and later years share one until a migration adds theirs.
-- The free space lets a label that arrives later be written without touching any index (a HOT update).
DO $$
BEGIN
    FOR year IN 2021..2028 LOOP
        EXECUTE format(
            'CREATE TABLE documents_%s PARTITION OF documents FOR VALUES FROM (%L) TO (%L) WITH (fillfactor = 85)',
            year, format('%s-01-01 00:00:00+00', year), format('%s-01-01 00:00:00+00', year + 1)
        );
    END LOOP;
END $$;
CREATE TABLE documents_other PARTITION OF documents DEFAULT WITH (fillfactor = 85);

CREATE INDEX documents_lexemes ON documents USING gin (lexemes);
CREATE INDEX documents_entities ON documents USING gin (entities);
CREATE INDEX documents_published ON documents (published_at);
CREATE INDEX documents_source ON documents (source, published_at);
CREATE INDEX documents_author ON documents (lower(author), published_at) WHERE author IS NOT NULL;
CREATE INDEX documents_embedding_model ON documents (embedding_model) WHERE NOT embedding_refused;

-- The model whose vectors are searched; a row embedded by any other waits for a new embedding.
CREATE TABLE embedding_space (
    only_row   boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    model      text        NOT NULL,
    dimensions integer     NOT NULL,
    since      timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE feed_cursors (
    feed     text        PRIMARY KEY,
    cursor   bigint      NOT NULL,
    moved_at timestamptz NOT NULL DEFAULT now()
);
