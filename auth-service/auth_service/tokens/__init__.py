"""Access tokens: signing keys, scopes, grants."""
