-- Ids that were erased and have no tombstone: of tweets that were not stored, and of later versions. No file brings
-- them back.
CREATE TABLE erased_ids (
    id        bigint PRIMARY KEY,
    erased_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX erased_ids_time ON erased_ids (erased_at);
