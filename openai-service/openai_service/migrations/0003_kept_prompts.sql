-- Prompts are kept only where LEDGER_PROMPTS asks for them, for LEDGER_PROMPT_DAYS, and until their tenant erases them.
CREATE INDEX calls_with_prompt_by_time ON calls (called_at) WHERE prompt IS NOT NULL;
CREATE INDEX calls_with_prompt_by_tenant ON calls (tenant, called_at) WHERE prompt IS NOT NULL;

CREATE TABLE prompt_erasures (
    tenant text PRIMARY KEY,
    until  timestamptz NOT NULL
);
COMMENT ON TABLE prompt_erasures IS 'Rows that a replica still has in its queue must not bring back what was erased.';

CREATE FUNCTION prompt_lock(name text) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT hashtextextended('openai.prompts:' || name, 0)
$$;

CREATE FUNCTION drop_erased_prompt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(prompt_lock(NEW.tenant));
    IF EXISTS (SELECT 1 FROM prompt_erasures AS e WHERE e.tenant = NEW.tenant AND NEW.called_at <= e.until) THEN
        NEW.prompt := NULL;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER drop_erased_prompt BEFORE INSERT ON calls
FOR EACH ROW WHEN (NEW.prompt IS NOT NULL) EXECUTE FUNCTION drop_erased_prompt();

-- Erases the prompts of a tenant's calls up to now, those that are not stored yet included. Returns how many were stored.
CREATE FUNCTION erase_prompts(name text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    erased bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(prompt_lock(name));
    INSERT INTO prompt_erasures VALUES (name, clock_timestamp())
    ON CONFLICT (tenant) DO UPDATE SET until = excluded.until;
    UPDATE calls SET prompt = NULL WHERE tenant = name AND prompt IS NOT NULL;
    GET DIAGNOSTICS erased = ROW_COUNT;
    RETURN erased;
END
$$;

-- Erases at most 1,000 prompts of calls before ``moment``; two replicas never wait for each other here. Returns how many.
CREATE FUNCTION forget_prompts_before(moment timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    forgotten bigint;
BEGIN
    UPDATE calls SET prompt = NULL WHERE id IN (
        SELECT id FROM calls WHERE prompt IS NOT NULL AND called_at < moment
        ORDER BY called_at FOR UPDATE SKIP LOCKED LIMIT 1000
    );
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    RETURN forgotten;
END
$$;
