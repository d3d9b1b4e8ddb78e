"""Chat completions: routing, response cache, single-flight, streams."""
