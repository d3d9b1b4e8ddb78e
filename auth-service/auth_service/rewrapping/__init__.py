"""Seals what is stored with the present key-encryption secret, after it was changed."""
