"""Composition: the repositories, clients, services and background work of the service."""
