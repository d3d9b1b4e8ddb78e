"""Access tokens: signing keys and their rotation, issuing, validation, grants."""
