"""HTTP: one router a resource."""

TAGS = {
    "sentiment": "Classify texts as positive, neutral or negative, as a whole or towards a target.",
}
"""The groups of routes in the contract, and what each is for."""
