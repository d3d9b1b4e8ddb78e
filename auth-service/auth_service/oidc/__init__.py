"""OpenID Connect provider: frontends send their users here to log in, and get a code for their tokens."""
