"""The models that score a text; their weights are in ``models/``."""
