"""Answers that the HTTP protocol gives from memory, before ASGI."""
