-- Of documents only their ids are kept in prompts, and of what a model or a tool said nothing: documents are erased elsewhere.
UPDATE calls SET prompt = (
    SELECT jsonb_agg(
        jsonb_build_object('role', message ->> 'role', 'content', CASE
            WHEN message ->> 'role' IN ('assistant', 'tool') THEN ''
            ELSE regexp_replace(
                message ->> 'content', '<document id="([^"<>\n]{1,200}?)">.*?(</document>|$)', '<document id="\1"/>', 'g')
        END) ORDER BY number)
    FROM jsonb_array_elements(prompt) WITH ORDINALITY AS m (message, number)
) WHERE prompt IS NOT NULL AND jsonb_typeof(prompt) = 'array' AND prompt <> '[]';
