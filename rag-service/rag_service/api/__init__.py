"""HTTP: one router a resource."""

TAGS = {
    "rag": "Store documents, search them, and answer questions with verbatim quotes of them.",
}
"""The groups of routes in the contract, and what each is for."""
