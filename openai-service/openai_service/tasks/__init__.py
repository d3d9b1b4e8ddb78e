"""Tasks: summaries, topics, plans and the like, each with its prompt, schema and checks."""
