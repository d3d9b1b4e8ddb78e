"""Analyses of forecasts, stored in rag-service: told in Spanish, posted."""
