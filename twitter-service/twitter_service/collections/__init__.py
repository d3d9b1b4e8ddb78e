"""Collections: searches that repeat on a schedule, and streams."""
