"""Background upkeep: retention, author assessment, the full-text index."""
