"""Stubs of services: every operation of a contract answered with an example, for work on one service alone."""
