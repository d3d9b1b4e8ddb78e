"""The whole of CASTOR on one machine, without Docker."""

__version__ = "0.1.0"
