"""HTTP: one router a resource."""

TAGS = {
    "trending": "Topics that burst, how each went on, and who may push them.",
    "watches": "What users want to be told, by webhook or as a stream of events.",
}
"""The groups of routes in the contract, and what each is for."""
