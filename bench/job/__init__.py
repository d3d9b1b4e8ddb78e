"""Measurements of the whole main job."""
