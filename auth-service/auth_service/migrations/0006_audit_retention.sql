-- Retention removes the oldest links up to a seal, which stays and vouches for where the chain begins. The triggers guard
-- against mistakes; what a thief removes is found because no seal that is old enough stands before the first link.
CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' OR current_setting('auth_service.audit_retention', true) IS DISTINCT FROM 'on' THEN
        RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP;
    END IF;
    RETURN NULL;
END $$;
