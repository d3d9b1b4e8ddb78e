"""Terms counted in windows of time."""
