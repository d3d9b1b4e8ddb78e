-- Whether there ever was an administrator: one that was deleted is not made anew from the settings at the next start.
CREATE TABLE administrator_made (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    at     timestamptz NOT NULL DEFAULT now()
);
INSERT INTO administrator_made (single) SELECT true
WHERE EXISTS (SELECT FROM users WHERE 'admin' = ANY (roles))
   OR EXISTS (SELECT FROM audit_events WHERE event = 'administrator_created');

CREATE FUNCTION note_administrator() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO administrator_made DEFAULT VALUES ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER users_administrator AFTER INSERT OR UPDATE OF roles ON users
    FOR EACH ROW WHEN ('admin' = ANY (NEW.roles)) EXECUTE FUNCTION note_administrator();
