-- Data sets: named groups of tweets that are counted apart. A tweet of several files is in the data set of each.
CREATE TABLE datasets (
    name       text PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now()
);
-- Null: the tweet is in no data set.
ALTER TABLE tweets ADD COLUMN datasets text[];
CREATE INDEX tweets_datasets ON tweets USING gin (datasets) WHERE datasets IS NOT NULL;
-- Empty: the entity is one of every data set.
ALTER TABLE entities ADD COLUMN datasets text[] NOT NULL DEFAULT '{}';
-- What was recognised of a file.
ALTER TABLE imports
    ADD COLUMN dataset text,
    ADD COLUMN notes   text[] NOT NULL DEFAULT '{}';
