"""Forecasts of the indexes, with intervals."""
