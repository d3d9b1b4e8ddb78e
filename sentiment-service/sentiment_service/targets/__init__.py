"""Sentiment towards a target named in the text."""
