"""Scenarios: what a change of sentiment or volume would do to an index, as a distribution."""
