"""HTTP: one router a resource."""

TAGS = {
    "forecast": "The ICCE of each candidate, its momentum, share of voice and forecasts.",
}
"""The groups of routes in the contract, and what each is for."""
