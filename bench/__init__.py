"""Measurements against peers and limits; each prints ratios taken in one run."""
