"""Forecasts with intervals."""
