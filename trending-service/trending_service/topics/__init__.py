"""What is trending as of a moment."""
