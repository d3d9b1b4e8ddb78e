-- Which documents the answers of conversations hold something of: what is erased leaves them too. A trigger fills it
-- from the answer, so that answers of the release before this one, which runs beside it during a roll-out, are known as
-- well; the service adds those whose authors alone are named.
CREATE TABLE turn_citations (
    document_id  text    NOT NULL,
    conversation uuid    NOT NULL,
    number       integer NOT NULL,
    PRIMARY KEY (document_id, conversation, number),
    FOREIGN KEY (conversation, number) REFERENCES conversation_turns ON DELETE CASCADE
);
CREATE INDEX turn_citations_turn ON turn_citations (conversation, number);

-- The ids of the documents that an answer cites: in its text, and for its positions.
CREATE FUNCTION rag_cited(answer jsonb) RETURNS SETOF text LANGUAGE sql IMMUTABLE AS $$
    SELECT cited ->> 'id' FROM jsonb_array_elements(answer -> 'citations') AS cited
    UNION
    SELECT cited FROM jsonb_array_elements(answer -> 'positions') AS taken,
        jsonb_array_elements_text(taken -> 'citations') AS cited
$$;

CREATE FUNCTION rag_note_citations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO turn_citations
    SELECT cited, NEW.conversation, NEW.number FROM rag_cited(NEW.answer) AS cited
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
SELECT cited, t.conversation, t.number FROM conversation_turns t, rag_cited(t.answer) AS cited;
-- What was erased before, or by that release while both run, is the service's to sweep.
