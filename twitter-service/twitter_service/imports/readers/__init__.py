"""Readers of the file formats that can be imported."""
