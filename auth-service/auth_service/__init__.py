"""Who you are: users, sessions, API keys, service tokens, and the keys that all others verify with."""

__version__ = "0.1.0"
