-- One row per call. The prompt and the answer are never stored.
CREATE TABLE calls (
    id                uuid PRIMARY KEY,
    called_at         timestamptz NOT NULL,
    request_id        text NOT NULL,
    principal         text NOT NULL,
    operation         text NOT NULL CHECK (operation IN ('chat', 'embeddings')),
    requested_model   text NOT NULL,
    provider          text NOT NULL,
    model             text NOT NULL,
    prompt_tokens     bigint CHECK (prompt_tokens >= 0),
    completion_tokens bigint CHECK (completion_tokens >= 0),
    cost_usd          numeric(16, 9) CHECK (cost_usd >= 0),
    latency_ms        double precision NOT NULL CHECK (latency_ms >= 0),
    streamed          boolean NOT NULL,
    degraded          boolean NOT NULL,
    status            text NOT NULL,
    fallback_reason   text
);

COMMENT ON COLUMN calls.id IS 'Minted by the service, so that a batch that is written twice is stored once.';
COMMENT ON COLUMN calls.cost_usd IS 'NULL: the model has no price; 0: the call was free.';
COMMENT ON COLUMN calls.prompt_tokens IS 'NULL: unknown, for example a stream whose client hung up.';
COMMENT ON COLUMN calls.status IS 'ok, cancelled, or the code of the error that the caller got.';
COMMENT ON COLUMN calls.fallback_reason IS 'Code of the upstream failure that a degraded answer replaced.';

-- Reports read by time; a budget reads one principal's time range.
CREATE INDEX calls_by_time ON calls (called_at);
CREATE INDEX calls_by_principal ON calls (principal, called_at);
