"""HTTP: one router a resource."""

TAGS = {
    "trending": "Topics that burst, and how each went on.",
}
"""The groups of routes in the contract, and what each is for."""
