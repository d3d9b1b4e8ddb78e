"""A stand-in for a service."""
