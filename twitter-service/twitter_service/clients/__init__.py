"""Clients of the services that twitter-service calls."""
