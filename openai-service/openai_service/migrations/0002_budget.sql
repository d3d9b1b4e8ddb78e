-- Money: 1 USD is 1,000,000,000 nano. A call holds the most it may cost before it is made, and spends what it did cost after it.
CREATE TABLE budget_accounts (
    month      date NOT NULL,
    account    text NOT NULL,
    spent_nano bigint NOT NULL DEFAULT 0 CHECK (spent_nano >= 0),
    held_nano  bigint NOT NULL DEFAULT 0 CHECK (held_nano >= 0),
    PRIMARY KEY (month, account)
) WITH (fillfactor = 50);

CREATE TABLE budget_holds (
    id          uuid PRIMARY KEY,
    month       date NOT NULL,
    accounts    text[] NOT NULL,
    amount_nano bigint NOT NULL CHECK (amount_nano >= 0),
    expires_at  timestamptz NOT NULL
);
CREATE INDEX budget_holds_by_expiry ON budget_holds (expires_at);

COMMENT ON COLUMN budget_accounts.account IS 'total, tenant:<principal> or service:<name>.';
COMMENT ON COLUMN budget_holds.expires_at IS 'A replica that died never ends its holds; after this they count no more.';

ALTER TABLE calls ADD COLUMN tenant text;
ALTER TABLE calls ADD COLUMN service text;
ALTER TABLE calls ADD COLUMN task text;
ALTER TABLE calls ADD COLUMN prompt_version text;
ALTER TABLE calls ADD COLUMN cache text;
ALTER TABLE calls ADD COLUMN attempts integer;
ALTER TABLE calls ADD COLUMN cost_basis text;
ALTER TABLE calls ADD COLUMN prompt jsonb;

COMMENT ON COLUMN calls.cache IS 'hit: answered from the cache; shared: by an equal call in flight; NULL: by a model.';
COMMENT ON COLUMN calls.cost_basis IS 'usage: as the provider counted; bound: the most it may have been, since nobody told.';
COMMENT ON COLUMN calls.prompt IS 'Redacted messages, kept only where LEDGER_PROMPTS asks for them.';

-- Locks are always taken in one order: holds, then accounts by (month, account).
CREATE FUNCTION lock_budget_accounts(months date[], names text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    locked bigint;
BEGIN
    PERFORM 1 FROM budget_accounts a
    WHERE (a.month, a.account) IN (SELECT * FROM unnest(months, names))
    ORDER BY a.month, a.account FOR UPDATE;
    GET DIAGNOSTICS locked = ROW_COUNT;
    IF locked < cardinality(names) THEN
        INSERT INTO budget_accounts (month, account)
        SELECT m, n FROM unnest(months, names) AS w (m, n) ORDER BY m, n
        ON CONFLICT DO NOTHING;
        PERFORM 1 FROM budget_accounts a
        WHERE (a.month, a.account) IN (SELECT * FROM unnest(months, names))
        ORDER BY a.month, a.account FOR UPDATE;
    END IF;
END
$$;

-- Holds the amount of each call on all of its accounts, or on none: one answer row per call, in the order given.
-- calls: [{"id", "month", "amount", "seconds", "accounts": [...], "limits": [...]}]
CREATE FUNCTION hold_budget(calls jsonb)
RETURNS TABLE (refused text, limit_nano bigint, spent_nano bigint, held_nano bigint) LANGUAGE plpgsql AS $$
DECLARE
    months date[];
    names text[];
    item jsonb;
    fits boolean;
BEGIN
    SELECT array_agg(w.month), array_agg(w.name) INTO months, names FROM (
        SELECT DISTINCT (c ->> 'month')::date AS month, n AS name
        FROM jsonb_array_elements(calls) AS c, jsonb_array_elements_text(c -> 'accounts') AS n
    ) AS w;
    PERFORM lock_budget_accounts(months, names);

    -- Most of the time everything fits: then the whole batch is two statements.
    WITH wanted AS (
        SELECT (c ->> 'month')::date AS month, n.name, sum((c ->> 'amount')::bigint) AS amount, min(l.nano::bigint) AS nano
        FROM jsonb_array_elements(calls) AS c,
             ROWS FROM (jsonb_array_elements_text(c -> 'accounts')) WITH ORDINALITY AS n (name, at),
             ROWS FROM (jsonb_array_elements_text(c -> 'limits')) WITH ORDINALITY AS l (nano, at)
        WHERE n.at = l.at
        GROUP BY 1, 2
    )
    SELECT bool_and(a.spent_nano + a.held_nano + w.amount <= w.nano) INTO fits
    FROM wanted AS w JOIN budget_accounts AS a ON a.month = w.month AND a.account = w.name;

    IF fits THEN
        UPDATE budget_accounts AS a SET held_nano = a.held_nano + w.amount
        FROM (
            SELECT (c ->> 'month')::date AS month, n AS name, sum((c ->> 'amount')::bigint) AS amount
            FROM jsonb_array_elements(calls) AS c, jsonb_array_elements_text(c -> 'accounts') AS n
            GROUP BY 1, 2
        ) AS w
        WHERE a.month = w.month AND a.account = w.name;
        INSERT INTO budget_holds
        SELECT (c ->> 'id')::uuid, (c ->> 'month')::date, ARRAY(SELECT jsonb_array_elements_text(c -> 'accounts')),
               (c ->> 'amount')::bigint, now() + make_interval(secs => (c ->> 'seconds')::float8)
        FROM jsonb_array_elements(calls) AS c;
        RETURN QUERY SELECT NULL::text, NULL::bigint, NULL::bigint, NULL::bigint FROM jsonb_array_elements(calls);
        RETURN;
    END IF;

    FOR item IN SELECT * FROM jsonb_array_elements(calls) LOOP
        RETURN QUERY SELECT * FROM hold_budget_of_one(item);
    END LOOP;
END
$$;

-- The accounts must be locked. Answers one row: the account with the least room where the call does not fit.
CREATE FUNCTION hold_budget_of_one(item jsonb)
RETURNS TABLE (refused text, limit_nano bigint, spent_nano bigint, held_nano bigint) LANGUAGE plpgsql AS $$
DECLARE
    amount bigint := (item ->> 'amount')::bigint;
    of_month date := (item ->> 'month')::date;
    names text[] := ARRAY(SELECT jsonb_array_elements_text(item -> 'accounts'));
BEGIN
    RETURN QUERY
    SELECT a.account, l.nano::bigint, a.spent_nano, a.held_nano
    FROM ROWS FROM (jsonb_array_elements_text(item -> 'accounts')) WITH ORDINALITY AS n (name, at)
    JOIN ROWS FROM (jsonb_array_elements_text(item -> 'limits')) WITH ORDINALITY AS l (nano, at) ON n.at = l.at
    JOIN budget_accounts AS a ON a.month = of_month AND a.account = n.name
    WHERE a.spent_nano + a.held_nano + amount > l.nano::bigint
    ORDER BY l.nano::bigint - a.spent_nano LIMIT 1;
    IF NOT FOUND THEN
        UPDATE budget_accounts AS a SET held_nano = a.held_nano + amount WHERE a.month = of_month AND a.account = ANY (names);
        INSERT INTO budget_holds
        VALUES ((item ->> 'id')::uuid, of_month, names, amount, now() + make_interval(secs => (item ->> 'seconds')::float8));
        RETURN QUERY SELECT NULL::text, NULL::bigint, NULL::bigint, NULL::bigint;
    END IF;
END
$$;

-- Adds to the accounts; changes: [{"month", "account", "spent", "held"}], any number per account.
CREATE FUNCTION move_budget(changes jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    months date[];
    names text[];
BEGIN
    SELECT array_agg(w.month), array_agg(w.account) INTO months, names
    FROM (SELECT DISTINCT month, account FROM jsonb_to_recordset(changes) AS w (month date, account text)) AS w;
    IF names IS NULL THEN
        RETURN;
    END IF;
    PERFORM lock_budget_accounts(months, names);
    UPDATE budget_accounts AS a
    SET spent_nano = a.spent_nano + w.spent, held_nano = a.held_nano + w.held
    FROM (
        SELECT month, account, sum(spent) AS spent, sum(held) AS held
        FROM jsonb_to_recordset(changes) AS w (month date, account text, spent bigint, held bigint)
        GROUP BY 1, 2
    ) AS w
    WHERE a.month = w.month AND a.account = w.account;
END
$$;

-- Ends holds without spending.
CREATE FUNCTION ended_holds(ids uuid[]) RETURNS jsonb LANGUAGE sql AS $$
    WITH ended AS (DELETE FROM budget_holds WHERE id = ANY (ids) RETURNING month, accounts, amount_nano)
    SELECT coalesce(
        jsonb_agg(jsonb_build_object('month', e.month, 'account', n, 'spent', 0, 'held', -e.amount_nano)), '[]'
    )
    FROM ended AS e, unnest(e.accounts) AS n
$$;

-- Stores calls, spends what the new ones cost, and ends the holds named: all of it, or nothing. A call that is
-- stored already spends nothing again.
-- entries: [{"row": {columns of calls}, "month", "accounts": [...], "nano": cost}]
CREATE FUNCTION settle_calls(entries jsonb, holds uuid[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    released jsonb := ended_holds(holds);
    spent jsonb;
BEGIN
    WITH stored AS (
        INSERT INTO calls
        SELECT (jsonb_populate_record(NULL::calls, e -> 'row')).* FROM jsonb_array_elements(entries) AS e
        ON CONFLICT (id) DO NOTHING RETURNING id
    )
    SELECT coalesce(
        jsonb_agg(jsonb_build_object('month', e -> 'month', 'account', n, 'spent', (e ->> 'nano')::bigint, 'held', 0)), '[]'
    ) INTO spent
    FROM jsonb_array_elements(entries) AS e, jsonb_array_elements_text(e -> 'accounts') AS n
    WHERE (e ->> 'nano')::bigint > 0 AND (e -> 'row' ->> 'id')::uuid IN (SELECT id FROM stored);
    PERFORM move_budget(released || spent);
END
$$;

-- Ends holds whose replica is gone; two replicas never wait for each other here. Returns how many.
CREATE FUNCTION release_expired_holds() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    ids uuid[];
BEGIN
    ids := ARRAY(SELECT id FROM budget_holds WHERE expires_at < now() FOR UPDATE SKIP LOCKED LIMIT 1000);
    PERFORM move_budget(ended_holds(ids));
    RETURN cardinality(ids);
END
$$;
