"""Every LLM and embedding call."""

__version__ = "0.1.0"
