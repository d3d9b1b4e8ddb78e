"""ICCE, momentum and forecasts with honest intervals."""

__version__ = "0.1.0"
