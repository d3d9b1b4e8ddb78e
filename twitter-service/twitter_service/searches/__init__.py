"""Search jobs on X: planning, running, storing pages."""
