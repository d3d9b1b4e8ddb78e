"""The terms of a Spanish tweet."""
