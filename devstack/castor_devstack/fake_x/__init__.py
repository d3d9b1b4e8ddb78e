"""A loopback X API v2: what searches, streams and tests talk to where there is no key."""
