"""Answers whose citations are verified word for word."""
