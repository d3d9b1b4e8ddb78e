"""Background work: documents from the feed, embeddings, vector indexes."""
