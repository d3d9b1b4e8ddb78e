"""PostgreSQL with its migrations, the cache in Redis, verified model folders."""
