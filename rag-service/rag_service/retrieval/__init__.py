"""Hybrid retrieval: the searches, their fusion, the vector indexes."""
