"""Accounts of people: sign-in, registration, password reset, changes of address, administration."""
