"""Logs, traces and HTTP metrics."""
