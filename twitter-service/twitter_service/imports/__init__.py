"""Imports of files: reading, parsing, storing."""
