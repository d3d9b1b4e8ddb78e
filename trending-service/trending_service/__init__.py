"""What is bursting now in the stream of tweets, and why."""

__version__ = "0.1.0"
