"""The composition and the servers of a service."""
