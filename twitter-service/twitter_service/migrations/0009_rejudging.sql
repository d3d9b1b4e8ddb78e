-- Counts use the answers of one version of the sentiment model. Those of its successor are collected beside them and
-- replace them when all are there.

CREATE TABLE sentiment_versions (
    only_row            boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    -- '<id>@<version>' of texts, '<id>@<version>+rules<version of the rules>' towards entities. Null: not known yet,
    -- then every stored answer counts.
    text_model          text,
    target_model        text,
    -- The version that everything is being judged under.
    coming_text_model   text,
    coming_target_model text,
    phase               text NOT NULL DEFAULT 'idle' CHECK (phase IN ('idle', 'texts', 'targets', 'switching')),
    -- Where the present phase has come to.
    through_tweet       bigint NOT NULL DEFAULT 0,
    through_entity      text NOT NULL DEFAULT '',
    judged              bigint NOT NULL DEFAULT 0,
    -- Answers of another version were stored since, for example during a rollout: look for them.
    strays              boolean NOT NULL DEFAULT false
);
INSERT INTO sentiment_versions DEFAULT VALUES;

-- Under the coming version, or while 'switching' under the present one. The label of a refused text is null.
CREATE TABLE rejudged_texts (
    tweet_id   bigint PRIMARY KEY,
    version_id bigint NOT NULL,
    positive   double precision,
    neutral    double precision,
    negative   double precision,
    label      text CHECK (label IN ('positive', 'neutral', 'negative')),
    reason     text
);
CREATE TABLE rejudged_targets (
    tweet_id   bigint NOT NULL,
    entity_id  text NOT NULL,
    version_id bigint NOT NULL,
    positive   double precision,
    neutral    double precision,
    negative   double precision,
    label      text CHECK (label IN ('positive', 'neutral', 'negative')),
    basis      text,
    PRIMARY KEY (tweet_id, entity_id)
);

-- Labels of the version that counts; null where a tweet has none of it.
CREATE VIEW counted_texts AS
SELECT t.id, t.created_at, t.datasets, t.deleted,
       CASE WHEN v.text_model IS NULL OR t.model = v.text_model THEN t.label
            WHEN v.phase = 'switching' THEN (
                SELECT r.label FROM rejudged_texts r
                WHERE r.tweet_id = t.id AND r.version_id = coalesce(t.version_id, t.id) AND NOT t.needs_score)
       END AS label,
       coalesce(v.text_model, t.model) AS model
FROM tweets t CROSS JOIN sentiment_versions v;

CREATE VIEW counted_pairs AS
SELECT e.tweet_id, e.entity_id, e.created_at, t.datasets, v.target_model AS model,
       CASE WHEN v.target_model IS NULL OR e.model = v.target_model THEN e.label
            WHEN v.phase = 'switching' THEN (
                SELECT r.label FROM rejudged_targets r
                WHERE r.tweet_id = e.tweet_id AND r.entity_id = e.entity_id
                  AND r.version_id = coalesce(t.version_id, t.id) AND NOT e.needs_target)
       END AS towards,
       CASE WHEN v.text_model IS NULL OR t.model = v.text_model THEN t.label
            WHEN v.phase = 'switching' THEN (
                SELECT r.label FROM rejudged_texts r
                WHERE r.tweet_id = t.id AND r.version_id = coalesce(t.version_id, t.id) AND NOT t.needs_score)
       END AS of_text
FROM tweet_entities e JOIN tweets t ON t.id = e.tweet_id CROSS JOIN sentiment_versions v;
