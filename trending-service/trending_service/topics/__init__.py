"""Topics: what is used more than its past leads to expect, as of a moment."""
