CREATE INDEX predictions_by_age ON predictions (made_at);
