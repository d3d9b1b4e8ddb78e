-- How many documents of the feed have which model's vector, or were refused, kept by every statement that changes them:
-- to count them anew takes longer the more there are. Those of organisations are few, and counted for each reader.
CREATE TABLE document_counts (
    model     text    NOT NULL, -- '' for those without a vector
    refused   boolean NOT NULL,
    documents bigint  NOT NULL,
    PRIMARY KEY (model, refused)
);

CREATE FUNCTION rag_count_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO document_counts AS c
    SELECT coalesce(embedding_model, ''), embedding_refused, count(*) FROM added GROUP BY 1, 2
    ON CONFLICT (model, refused) DO UPDATE SET documents = c.documents + excluded.documents;
    RETURN NULL;
END $$;

CREATE FUNCTION rag_count_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO document_counts AS c
    SELECT coalesce(embedding_model, ''), embedding_refused, -count(*) FROM removed GROUP BY 1, 2
    ON CONFLICT (model, refused) DO UPDATE SET documents = c.documents + excluded.documents;
    RETURN NULL;
END $$;

CREATE FUNCTION rag_count_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO document_counts AS c
    SELECT model, refused, sum(n) FROM (
        SELECT coalesce(embedding_model, '') AS model, embedding_refused AS refused, 1 AS n FROM added
        UNION ALL
        SELECT coalesce(embedding_model, ''), embedding_refused, -1 FROM removed
    ) AS changed
    GROUP BY model, refused HAVING sum(n) <> 0
    ON CONFLICT (model, refused) DO UPDATE SET documents = c.documents + excluded.documents;
    RETURN NULL;
END $$;

-- Before the rows are counted: no other transaction writes between.
CREATE TRIGGER count_added AFTER INSERT ON documents
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION rag_count_added();
CREATE TRIGGER count_removed AFTER DELETE ON documents
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION rag_count_removed();
CREATE TRIGGER count_changed AFTER UPDATE ON documents
    REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION rag_count_changed();

INSERT INTO document_counts
SELECT coalesce(embedding_model, ''), embedding_refused, count(*) FROM documents GROUP BY 1, 2;
