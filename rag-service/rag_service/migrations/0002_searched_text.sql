-- What is indexed and embedded is the text in the form that queries have too (text/normal.py), stored beside the
-- text as it came. Rows of before keep theirs without that form until they change.
ALTER TABLE documents
    ADD COLUMN searched   text,
    ADD COLUMN words_hash text,
    ADD COLUMN axes       text[] NOT NULL DEFAULT '{}',
    ADD COLUMN places     text[] NOT NULL DEFAULT '{}';

UPDATE documents SET searched = normalize(CASE WHEN title IS NULL THEN text ELSE title || E'\n' || text END, NFKC);

-- The release before this one does not write 'searched', and runs beside it during a roll-out.
ALTER TABLE documents DROP COLUMN lexemes;
ALTER TABLE documents ADD COLUMN lexemes tsvector
    GENERATED ALWAYS AS (rag_lexemes(coalesce(searched, coalesce(title, '') || ' ' || text))) STORED;

CREATE INDEX documents_lexemes ON documents USING gin (lexemes);
CREATE INDEX documents_axes ON documents USING gin (axes);
CREATE INDEX documents_places ON documents USING gin (places);
CREATE INDEX documents_words ON documents (words_hash) WHERE words_hash IS NOT NULL;
