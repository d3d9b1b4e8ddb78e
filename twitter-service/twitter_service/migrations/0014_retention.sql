-- What is older than the retention is deleted a batch at a time.

CREATE INDEX retweets_created ON retweets (created_at);

-- The unfinished jobs of a collection are looked up every second; the finished ones of a year stay beside them.
CREATE INDEX x_searches_unfinished ON x_searches (collection_id) WHERE state IN ('queued', 'running', 'paused');

CREATE INDEX x_searches_finished ON x_searches (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX imports_finished ON imports (finished_at) WHERE finished_at IS NOT NULL;
