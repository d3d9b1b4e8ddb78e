"""Embeddings of documents: the space they lie in and the worker that makes them."""
