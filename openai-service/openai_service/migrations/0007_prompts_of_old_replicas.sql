-- A replica of a former release goes on to write documents into prompts, while it is replaced or after a rollback; and an id
-- that is escaped is longer than the 200 characters that 0006 looks for.
-- Waits for the writers of now; whoever writes after this commits meets the new function.
LOCK TABLE calls IN SHARE ROW EXCLUSIVE MODE;

CREATE FUNCTION prompt_without_documents(prompt jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN jsonb_typeof(prompt) = 'array' AND prompt <> '[]' THEN (
        SELECT jsonb_agg(
            jsonb_build_object('role', message ->> 'role', 'content', CASE
                WHEN message ->> 'role' IN ('assistant', 'tool') THEN ''
                ELSE regexp_replace(
                    message ->> 'content', '<document id="([^"<>\n]+?)">.*?(</document>|$)', '<document id="\1"/>', 'g')
            END) ORDER BY number)
        FROM jsonb_array_elements(prompt) WITH ORDINALITY AS m (message, number)
    ) ELSE prompt END
$$;

CREATE OR REPLACE FUNCTION drop_erased_prompt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(prompt_lock(NEW.tenant));
    IF EXISTS (SELECT 1 FROM prompt_erasures AS e WHERE e.tenant = NEW.tenant AND NEW.called_at <= e.until) THEN
        NEW.prompt := NULL;
    ELSE
        NEW.prompt := prompt_without_documents(NEW.prompt);
    END IF;
    RETURN NEW;
END
$$;
