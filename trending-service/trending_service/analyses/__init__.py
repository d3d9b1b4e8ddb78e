"""Analyses of trends, stored in rag-service: counted, told in Spanish, posted."""
