"""Measurements of trending-service."""
