"""Answers without a language model: sentences chosen from the given documents."""
