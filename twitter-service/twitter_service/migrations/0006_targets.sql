-- What a tweet says for or against each entity that it counts for, which is not the sentiment of its text.

ALTER TABLE tweet_entities
    ADD COLUMN needs_target boolean NOT NULL DEFAULT true,
    -- Null: not asked yet, or the text does not name the entity: then the sentiment of the text stands.
    ADD COLUMN label        text CHECK (label IN ('positive', 'neutral', 'negative')),
    ADD COLUMN positive     double precision,
    ADD COLUMN neutral      double precision,
    ADD COLUMN negative     double precision,
    ADD COLUMN basis        text,
    ADD COLUMN model        text;

CREATE INDEX tweet_entities_waiting ON tweet_entities (created_at, tweet_id, entity_id) WHERE needs_target;
