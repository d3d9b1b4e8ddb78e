"""Text: its words, and quotes found in it word for word."""
