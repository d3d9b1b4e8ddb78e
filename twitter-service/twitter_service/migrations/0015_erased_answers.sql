-- An author's profile is found from the tweets by its key: the author's id, or @handle where only that is known.
CREATE INDEX tweets_author_key ON tweets (coalesce(author_id, '@' || lower(username))) WHERE NOT deleted;

-- With a tweet its author's handle is erased in the replies to it.
CREATE INDEX tweets_reply_to ON tweets (reply_to) WHERE reply_to IS NOT NULL;

-- Replicas of the release before, which erase beside this one during a rollout, do not know the columns.
CREATE FUNCTION tweets_forget_conversation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.conversation_id := NULL;
    NEW.reply_to := NULL;
    NEW.reply_to_username := NULL;
    RETURN NEW;
END
$$;
CREATE TRIGGER tweets_forget_conversation BEFORE UPDATE ON tweets
    FOR EACH ROW WHEN (NEW.deleted) EXECUTE FUNCTION tweets_forget_conversation();
