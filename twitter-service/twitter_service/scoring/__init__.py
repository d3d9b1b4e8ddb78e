"""Scores from sentiment-service for texts and for targets."""
