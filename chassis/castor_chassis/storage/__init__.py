"""PostgreSQL with its migrations, and the cache in Redis."""
