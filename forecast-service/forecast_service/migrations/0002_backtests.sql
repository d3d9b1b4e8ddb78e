-- One row a job; it is deleted 30 days after its end. What is done of it is kept origin by origin.
CREATE TABLE backtests (
    id         text PRIMARY KEY,
    plan       jsonb NOT NULL,
    state      text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'failed')),
    total      integer NOT NULL,
    error      text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX backtests_open ON backtests (created_at, id) WHERE state IN ('waiting', 'running');
CREATE INDEX backtests_ended ON backtests (updated_at) WHERE state IN ('done', 'failed');

CREATE TABLE backtest_origins (
    backtest_id text NOT NULL REFERENCES backtests ON DELETE CASCADE,
    place       integer NOT NULL,
    result      jsonb NOT NULL,
    PRIMARY KEY (backtest_id, place)
);
