"""Data sets: named groups of tweets, and what is in them."""
