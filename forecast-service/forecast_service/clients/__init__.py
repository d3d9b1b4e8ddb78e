"""Clients of the services that forecast-service calls."""
