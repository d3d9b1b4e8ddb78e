"""Accounts of people: sign-in, registration, profile, password reset, MFA, administration."""
