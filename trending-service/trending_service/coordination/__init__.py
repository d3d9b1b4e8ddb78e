"""Accounts that again and again post the same thing within seconds of each other."""
