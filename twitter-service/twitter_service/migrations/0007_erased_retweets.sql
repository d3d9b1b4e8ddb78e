-- A retweet that was deleted stays known by its id, so that a file which still holds it does not count it again.

ALTER TABLE retweets ADD COLUMN deleted boolean NOT NULL DEFAULT false;
