-- Where a budget has plenty, a hold is for calls to come as well: each takes its part, and what is left is given back.
ALTER TABLE budget_holds ADD COLUMN closed boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN budget_holds.closed IS 'What was held ahead and not used has been given back; that must not happen twice.';

-- As hold_budget; "ahead" of a call is what it would like to hold beyond its own amount. It gets that only as far as it is
-- no more than a thousandth of what the call's accounts have left, and at least once more the call's own amount.
CREATE FUNCTION hold_budget_ahead(calls jsonb)
RETURNS TABLE (refused text, limit_nano bigint, spent_nano bigint, held_nano bigint, ahead_nano bigint) LANGUAGE plpgsql AS $$
DECLARE
    decided record;
    item jsonb;
    place integer := 0;
    ahead bigint;
BEGIN
    FOR decided IN SELECT * FROM hold_budget(calls) LOOP
        item := calls -> place;
        place := place + 1;
        ahead := 0;
        IF decided.refused IS NULL AND (item ->> 'ahead')::bigint > 0 THEN
            ahead := advance_hold(item);
        END IF;
        RETURN QUERY SELECT decided.refused, decided.limit_nano, decided.spent_nano, decided.held_nano, ahead;
    END LOOP;
END
$$;

-- The accounts must be locked and the call be held. Returns what it holds ahead now.
CREATE FUNCTION advance_hold(item jsonb) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    of_month date := (item ->> 'month')::date;
    names text[] := ARRAY(SELECT jsonb_array_elements_text(item -> 'accounts'));
    ahead bigint;
BEGIN
    SELECT least((item ->> 'ahead')::bigint, min((l.nano::bigint - a.spent_nano - a.held_nano) / 1000)) INTO ahead
    FROM ROWS FROM (jsonb_array_elements_text(item -> 'accounts')) WITH ORDINALITY AS n (name, at)
    JOIN ROWS FROM (jsonb_array_elements_text(item -> 'limits')) WITH ORDINALITY AS l (nano, at) ON n.at = l.at
    JOIN budget_accounts AS a ON a.month = of_month AND a.account = n.name;
    IF ahead < (item ->> 'amount')::bigint THEN
        RETURN 0;
    END IF;
    UPDATE budget_accounts AS a SET held_nano = a.held_nano + ahead WHERE a.month = of_month AND a.account = ANY (names);
    UPDATE budget_holds AS h SET amount_nano = h.amount_nano + ahead WHERE h.id = (item ->> 'id')::uuid;
    RETURN ahead;
END
$$;

-- Takes parts off holds, which end when nothing is left of them. parts: [{"id", "nano"}], any number per hold.
CREATE FUNCTION ended_parts(parts jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    released jsonb;
BEGIN
    PERFORM 1 FROM budget_holds AS h
    WHERE h.id IN (SELECT (p ->> 'id')::uuid FROM jsonb_array_elements(parts) AS p) ORDER BY h.id FOR UPDATE;
    WITH wanted AS (
        SELECT (p ->> 'id')::uuid AS id, sum((p ->> 'nano')::bigint)::bigint AS nano
        FROM jsonb_array_elements(parts) AS p GROUP BY 1
    ), ended AS (
        DELETE FROM budget_holds AS h USING wanted AS w WHERE h.id = w.id AND h.amount_nano <= w.nano
        RETURNING h.month, h.accounts, h.amount_nano AS nano
    ), lessened AS (
        UPDATE budget_holds AS h SET amount_nano = h.amount_nano - w.nano
        FROM wanted AS w WHERE h.id = w.id AND h.amount_nano > w.nano
        RETURNING h.month, h.accounts, w.nano
    )
    SELECT coalesce(
        jsonb_agg(jsonb_build_object('month', e.month, 'account', n, 'spent', 0, 'held', -e.nano)), '[]'
    ) INTO released
    FROM (SELECT * FROM ended UNION ALL SELECT * FROM lessened) AS e, unnest(e.accounts) AS n;
    RETURN released;
END
$$;

-- As settle_calls, with the parts of holds that each call ends in its entry: "parts": [{"id", "nano"}]. A call that is
-- stored already neither spends nor ends anything again.
CREATE FUNCTION settle_calls_in_parts(entries jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    fresh uuid[];
    parts jsonb;
    spent jsonb;
BEGIN
    WITH stored AS (
        INSERT INTO calls
        SELECT (jsonb_populate_record(NULL::calls, e -> 'row')).* FROM jsonb_array_elements(entries) AS e
        ON CONFLICT (id) DO NOTHING RETURNING id
    )
    SELECT coalesce(array_agg(id), '{}') INTO fresh FROM stored;
    SELECT coalesce(jsonb_agg(p), '[]') INTO parts
    FROM jsonb_array_elements(entries) AS e, jsonb_array_elements(e -> 'parts') AS p
    WHERE (e -> 'row' ->> 'id')::uuid = ANY (fresh);
    SELECT coalesce(
        jsonb_agg(jsonb_build_object('month', e -> 'month', 'account', n, 'spent', (e ->> 'nano')::bigint, 'held', 0)), '[]'
    ) INTO spent
    FROM jsonb_array_elements(entries) AS e, jsonb_array_elements_text(e -> 'accounts') AS n
    WHERE (e ->> 'nano')::bigint > 0 AND (e -> 'row' ->> 'id')::uuid = ANY (fresh);
    PERFORM move_budget(ended_parts(parts) || spent);
END
$$;

-- Gives back what was held ahead and is not used, once per hold, however often it is asked.
CREATE FUNCTION close_holds(parts jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    unused jsonb;
BEGIN
    PERFORM 1 FROM budget_holds AS h
    WHERE h.id IN (SELECT (p ->> 'id')::uuid FROM jsonb_array_elements(parts) AS p) ORDER BY h.id FOR UPDATE;
    WITH closing AS (
        UPDATE budget_holds AS h SET closed = true
        WHERE h.id IN (SELECT (p ->> 'id')::uuid FROM jsonb_array_elements(parts) AS p) AND NOT h.closed
        RETURNING h.id
    )
    SELECT coalesce(jsonb_agg(p), '[]') INTO unused
    FROM jsonb_array_elements(parts) AS p WHERE (p ->> 'id')::uuid IN (SELECT id FROM closing);
    PERFORM move_budget(ended_parts(unused));
END
$$;
