-- What a tweet brings along, and what is written beside it so that taking tweets in stays fast.

-- The vector of a text is worked out in the background, in a table of its own. The column stays for the version
-- before, whose searches find what that version stored.
ALTER TABLE tweets ALTER COLUMN search DROP EXPRESSION;
DROP INDEX tweets_search;

ALTER TABLE tweets
    -- The id is that of the first version of an edited tweet; null: there is no other.
    ADD COLUMN version_id   bigint,
    -- When X gave this state; null: the source does not say.
    ADD COLUMN observed_at  timestamptz,
    ADD COLUMN retweet_of   bigint,
    -- Slugs; null: stored by the version before, to be worked out in the background.
    ADD COLUMN axes         text[],
    ADD COLUMN places       text[],
    ADD COLUMN place_source text CHECK (place_source IN ('tweet', 'author'));

-- JSON of the object as it came, beside the row, so that what changes a tweet later does not copy it.
CREATE TABLE tweet_raw (
    tweet_id bigint PRIMARY KEY,
    raw      text NOT NULL
) PARTITION BY RANGE (tweet_id);

CREATE TABLE tweet_search (
    tweet_id   bigint PRIMARY KEY,
    created_at timestamptz NOT NULL,
    version_id bigint NOT NULL,
    search     tsvector NOT NULL
) PARTITION BY RANGE (tweet_id);
CREATE INDEX tweet_search_words ON tweet_search USING gin (search);
CREATE INDEX tweet_search_time ON tweet_search (created_at, tweet_id);

-- Change numbers up to this one are in tweet_search.
CREATE TABLE search_state (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    through  bigint NOT NULL DEFAULT 0
);
INSERT INTO search_state DEFAULT VALUES;

-- Texts that an edit replaced.
CREATE TABLE tweet_versions (
    tweet_id   bigint NOT NULL,
    version_id bigint NOT NULL,
    created_at timestamptz NOT NULL,
    text       text NOT NULL,
    PRIMARY KEY (tweet_id, version_id)
);

CREATE INDEX tweet_versions_version ON tweet_versions (version_id);
CREATE INDEX tweets_version ON tweets (version_id) WHERE version_id IS NOT NULL;

-- Retweets whose original is known: they are counted, and are no tweets of their own.
CREATE TABLE retweets (
    original_id bigint NOT NULL,
    retweet_id  bigint NOT NULL,
    author_id   text,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (original_id, retweet_id)
);
CREATE INDEX retweets_id ON retweets (retweet_id);

-- The latest profile that came along, under the author's id, or @handle where only that is known.
CREATE TABLE authors (
    key         text PRIMARY KEY,
    username    text NOT NULL,
    created_at  timestamptz,
    followers   bigint,
    following   bigint,
    tweets      bigint,
    verified    boolean,
    has_bio     boolean,
    has_image   boolean,
    location    text,
    observed_at timestamptz NOT NULL DEFAULT now(),
    -- Null: not assessed yet.
    score       double precision,
    reasons     jsonb NOT NULL DEFAULT '[]',
    needs_score boolean NOT NULL DEFAULT true
);
CREATE INDEX authors_name ON authors (lower(username));
CREATE INDEX authors_unscored ON authors (key) WHERE needs_score;

ALTER TABLE imports
    ADD COLUMN refreshed   bigint NOT NULL DEFAULT 0,
    ADD COLUMN retweets    bigint NOT NULL DEFAULT 0,
    ADD COLUMN bytes_read  bigint NOT NULL DEFAULT 0,
    ADD COLUMN bytes_total bigint,
    ADD COLUMN resumed     integer NOT NULL DEFAULT 0,
    ADD COLUMN head_digest text,
    ADD COLUMN checkpoint  jsonb,
    ADD COLUMN progress_at timestamptz NOT NULL DEFAULT now();
CREATE INDEX imports_unfinished ON imports (head_digest) WHERE state <> 'done';

-- The same years as tweets has.
DO $$
DECLARE
    part record;
    parent text;
BEGIN
    FOR part IN
        SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) AS bound
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'tweets'::regclass
    LOOP
        FOREACH parent IN ARRAY ARRAY['tweet_raw', 'tweet_search'] LOOP
            EXECUTE format(
                'CREATE TABLE %I PARTITION OF %I %s', parent || substr(part.relname, length('tweets') + 1), parent, part.bound
            );
        END LOOP;
    END LOOP;
END
$$;
