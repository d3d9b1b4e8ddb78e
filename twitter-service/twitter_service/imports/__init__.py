"""Files in: reading, parsing, storing."""
