-- Whether X says that a tweet is a retweet: that its text begins with 'RT @' proves nothing. NULL: nobody said, and the
-- text is believed. The index of scopes is built by the service (signals/scope_index_repository.py), concurrently: here
-- it would keep readers and the feed waiting while every tweet is read.
ALTER TABLE tweets ADD COLUMN is_retweet boolean;
