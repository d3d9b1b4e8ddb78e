"""Clients of the services that trending-service calls."""
