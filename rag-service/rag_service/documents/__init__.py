"""Documents: stored, read, erased."""
