"""Files: read into passages, each a document."""
