"""Chat completions: response cache, semantic cache, single-flight, streams."""
