"""A new version of the sentiment model: everything is judged again beside what counts, then counts switch at once."""
