"""The statistics: bursts and clusters."""
