-- Which conversation a tweet is part of, and which tweet of whom it answers; null where the source does not say, and for
-- tweets that are stored already.
ALTER TABLE tweets
    ADD COLUMN conversation_id   bigint,
    ADD COLUMN reply_to          bigint,
    ADD COLUMN reply_to_username text;
