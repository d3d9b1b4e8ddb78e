-- What was written before 0007 loses its documents, too. A migration of its own: nobody who writes waits for it.
UPDATE calls SET prompt = prompt_without_documents(prompt)
WHERE prompt IS NOT NULL AND prompt <> prompt_without_documents(prompt);
