-- The answer of a turn without what it said, where a document that it cited was erased or replaced.
CREATE OR REPLACE FUNCTION rag_forgotten(answer jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT answer || jsonb_build_object(
        'answer', 'Un documento que esta respuesta citaba fue borrado o cambiado; haga la pregunta de nuevo.',
        'citations', '[]'::jsonb, 'positions', '[]'::jsonb, 'abstained', true)
$$;
