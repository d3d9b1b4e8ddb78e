"""Text to positive, neutral or negative."""

__version__ = "0.1.0"
