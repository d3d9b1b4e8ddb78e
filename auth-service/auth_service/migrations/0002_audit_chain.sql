-- Each event is chained to the one before it: hash = SHA-256(hash before || text of the event). Whoever changes, removes or
-- inserts an event has to compute all hashes after it anew, and cannot compute the seals, which need the service's secret.
CREATE TABLE audit_chain (
    seq      bigint PRIMARY KEY,
    event_id bigint NOT NULL UNIQUE,
    hash     bytea NOT NULL
);

CREATE TABLE audit_seals (
    seq       bigint PRIMARY KEY,
    hash      bytea NOT NULL,
    sealed_at timestamptz NOT NULL,
    seal      bytea NOT NULL
);

-- What is hashed: a JSON array with exactly this spacing, so that anything that writes JSON can check it.
CREATE FUNCTION audit_event_text(e audit_events) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT json_build_array(
        e.id, to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        e.event, e.subject, e.address_hash, e.request_id, e.details
    )::text
$$;

-- The lock makes the order of the chain the order of commits. The trigger is deferred, so the lock is the last
-- one that a transaction takes and is held only while it commits: nobody can wait for it crosswise.
CREATE FUNCTION audit_chain_append() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    head audit_chain;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('auth_service.audit_chain', 0));
    SELECT * INTO head FROM audit_chain ORDER BY seq DESC LIMIT 1;
    INSERT INTO audit_chain VALUES (
        coalesce(head.seq, 0) + 1, NEW.id,
        sha256(coalesce(head.hash, ''::bytea) || convert_to(audit_event_text(NEW), 'UTF8'))
    );
    RETURN NULL;
END $$;

DO $$
DECLARE
    e audit_events;
    last bytea := '';
    number bigint := 0;
BEGIN
    LOCK TABLE audit_events IN EXCLUSIVE MODE;
    FOR e IN SELECT * FROM audit_events ORDER BY id LOOP
        number := number + 1;
        last := sha256(last || convert_to(audit_event_text(e), 'UTF8'));
        INSERT INTO audit_chain VALUES (number, e.id, last);
    END LOOP;
END $$;

CREATE CONSTRAINT TRIGGER audit_events_chained AFTER INSERT ON audit_events
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_chain_append();

CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP;
END $$;
CREATE TRIGGER audit_chain_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_chain
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_seals_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seals
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
