-- Which documents the answers of conversations cite: what is erased leaves them too. A trigger fills it, so that answers
-- of the release before this one, which runs beside it during a roll-out, are known as well.
CREATE TABLE turn_citations (
    document_id  text    NOT NULL,
    conversation uuid    NOT NULL,
    number       integer NOT NULL,
    PRIMARY KEY (document_id, conversation, number),
    FOREIGN KEY (conversation, number) REFERENCES conversation_turns ON DELETE CASCADE
);
CREATE INDEX turn_citations_turn ON turn_citations (conversation, number);

CREATE FUNCTION rag_note_citations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO turn_citations
    SELECT DISTINCT cited ->> 'id', NEW.conversation, NEW.number
    FROM jsonb_array_elements(NEW.answer -> 'citations') AS cited
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE TRIGGER note_citations AFTER INSERT ON conversation_turns
    FOR EACH ROW EXECUTE FUNCTION rag_note_citations();

-- The answer of a turn without what it said, as documents/kept_answers_repository.py leaves it.
CREATE FUNCTION rag_forgotten(answer jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT answer || jsonb_build_object(
        'answer', 'Un documento que esta respuesta citaba fue borrado; haga la pregunta de nuevo.',
        'citations', '[]'::jsonb, 'positions', '[]'::jsonb, 'abstained', true)
$$;

-- Background work, which erases what the feed erases, names '*' as the organisation; no caller can.
ALTER POLICY of_the_owner ON conversations
    USING ((tenant = current_setting('rag.tenant', true) AND owner = current_setting('rag.subject', true))
        OR current_setting('rag.tenant', true) = '*');

SELECT set_config('rag.tenant', '*', true);
INSERT INTO turn_citations
SELECT DISTINCT cited ->> 'id', t.conversation, t.number
FROM conversation_turns t, jsonb_array_elements(t.answer -> 'citations') AS cited;

-- What was erased before.
UPDATE conversation_turns t SET answer = rag_forgotten(t.answer)
FROM conversations o
WHERE o.id = t.conversation AND EXISTS (
    SELECT 1 FROM turn_citations c WHERE c.conversation = t.conversation AND c.number = t.number AND NOT EXISTS (
        SELECT 1 FROM readable_documents d WHERE d.id = c.document_id AND d.tenant IN ('', o.tenant)));
