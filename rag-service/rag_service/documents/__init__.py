"""Documents: the record and its repository."""
