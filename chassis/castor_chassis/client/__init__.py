"""Calls to other services: retry, bulkhead, breaker, timeout, transport."""
