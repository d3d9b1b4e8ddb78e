-- Answers of requests with an Idempotency-Key, for 24 hours; bodies are sealed by the key, which is not stored.
CREATE TABLE idempotent_answers (
    name          bytea       PRIMARY KEY,
    asked         bytea       NOT NULL,
    status        smallint    NOT NULL,
    cache_control text,
    body          bytea       NOT NULL,
    kept_at       timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idempotent_answers_kept_at ON idempotent_answers (kept_at);
