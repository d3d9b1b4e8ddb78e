"""Mail to account holders: templates, the outbox and its sender."""
