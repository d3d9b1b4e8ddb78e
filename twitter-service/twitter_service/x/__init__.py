"""The X API: client, rate limits, query builder, stream."""
