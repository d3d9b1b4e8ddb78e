"""Mail to account holders: outbox, templates, one-time tokens."""
