-- One row a forecast. It grows with forecasts, not with tweets, so it is not partitioned.
CREATE TABLE predictions (
    id         text PRIMARY KEY,
    entity     text NOT NULL,
    as_of      timestamptz NOT NULL,
    made_at    timestamptz NOT NULL DEFAULT now(),
    prediction jsonb NOT NULL
);

CREATE INDEX predictions_by_entity ON predictions (entity, as_of DESC);
