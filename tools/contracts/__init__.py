"""Contracts compared: with those released before, and with what their clients use."""
