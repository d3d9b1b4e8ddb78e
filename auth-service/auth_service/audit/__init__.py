"""The audit log: a hash chain of what was done to accounts, sessions, keys and clients."""
