-- What reading X costs: what is spent, what is promised, and what was billed already on a UTC day.

-- Whoever promises budget locks this row, so that two promises are never checked against the same rest.
CREATE TABLE x_ledger (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row)
);
INSERT INTO x_ledger DEFAULT VALUES;

CREATE TABLE x_spending (
    day       date NOT NULL,
    purpose   text NOT NULL,
    tenant    text NOT NULL,
    reads     bigint NOT NULL DEFAULT 0,
    posts     bigint NOT NULL DEFAULT 0,
    micro_usd bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (day, purpose, tenant)
);

-- A promise counts while its lease lasts; that of a killed process ends by itself.
CREATE TABLE x_reservations (
    id          text PRIMARY KEY,
    purpose     text NOT NULL,
    tenant      text NOT NULL,
    posts       bigint NOT NULL CHECK (posts >= 0),
    micro_usd   bigint NOT NULL CHECK (micro_usd >= 0),
    lease_until timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX x_reservations_live ON x_reservations (lease_until);

-- X bills a post or a user once a UTC day, whoever of us reads it again.
CREATE TABLE x_billed (
    day  date NOT NULL,
    kind text NOT NULL CHECK (kind IN ('post', 'user')),
    id   bigint NOT NULL,
    PRIMARY KEY (day, kind, id)
);
