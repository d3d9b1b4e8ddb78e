-- What former releases stored of others beside a tweet, and replicas of theirs still store during a rollout: cleaned in
-- order of ids by the sweep of the retention, once the rollout is over. The row goes when that is done.
CREATE TABLE rollout_cleaning (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    due_at   timestamptz NOT NULL DEFAULT now() + interval '1 hour',
    through  bigint NOT NULL DEFAULT 0
);
INSERT INTO rollout_cleaning DEFAULT VALUES;
