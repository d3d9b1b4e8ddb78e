"""Builds the services that the routes call, and starts the background work."""
