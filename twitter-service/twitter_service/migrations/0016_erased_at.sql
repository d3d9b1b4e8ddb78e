-- A tombstone is kept for a while after its erasure, however old the tweet is. What is stored already counts from now: a
-- default that is the same for all rows is not written into them. New tweets have null until they are erased.
ALTER TABLE tweets ADD COLUMN erased_at timestamptz DEFAULT now();
ALTER TABLE tweets ALTER COLUMN erased_at DROP DEFAULT;
COMMENT ON COLUMN tweets.erased_at IS 'When a tombstone was made; of other tweets it says nothing.';

-- Also by replicas of the release before, which erase beside this one during a rollout.
CREATE FUNCTION tweets_note_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.erased_at := now();
    RETURN NEW;
END
$$;
CREATE TRIGGER tweets_note_erasure BEFORE UPDATE ON tweets
    FOR EACH ROW WHEN (NEW.deleted AND NOT OLD.deleted) EXECUTE FUNCTION tweets_note_erasure();
