"""Spanish text as several services compare it."""
