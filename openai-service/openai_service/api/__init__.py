"""HTTP: one router a resource."""

TAGS = {
    "openai": "Chat, embeddings and models in the shape of OpenAI's API; usage and budgets.",
    "tasks": "Tasks with a typed result: summaries, topics, plans, speeches, advice, answers.",
}
"""The groups of routes in the contract, and what each is for."""
