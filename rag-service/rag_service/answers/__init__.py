"""Answers with citations that are verified word for word."""
