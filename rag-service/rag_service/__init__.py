"""Documents, hybrid retrieval, cited answers."""

__version__ = "0.1.0"
