"""HTTP of what the platform's own administrators do, those of the default organisation."""
