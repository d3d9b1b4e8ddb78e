"""Hybrid retrieval: by words and by meaning, fused by rank."""
