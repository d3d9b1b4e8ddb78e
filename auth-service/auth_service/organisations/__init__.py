"""Organisations: who belongs to which, and what an administrator may manage."""
