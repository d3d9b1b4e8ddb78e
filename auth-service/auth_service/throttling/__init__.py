"""Limits on attempts: exponential back-off and attempt limits."""
