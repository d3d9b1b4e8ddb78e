"""Which entities, axes and places a text names."""
