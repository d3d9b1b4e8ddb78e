"""The page on erasure is complete: each table of a service is in it, or is known to hold nothing that people wrote."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from castor_chassis.storage.migrations import migration_files

PAGE = (Path(__file__).parents[2] / "docs" / "erasure.md").read_text()
COLUMN = re.compile(r"^\s+\w+\s+(text|jsonb?|bytea|tsvector|halfvec)\b", re.MULTILINE)
NUMBERS = {
    "forecast": {
        "predictions": "forecasts of entities",
        "backtests": "series of numbers",
        "backtest_origins": "numbers",
        "poll_sets": "polls of an organisation",
    },
    "openai": {
        "budget_accounts": "sums of money",
        "budget_holds": "sums of money",
        "budget_advances": "sums of money",
        "prompt_erasures": "who erased, and when",
    },
    "rag": {
        "embedding_space": "names of models",
        "feed_cursors": "a number",
        "turn_citations": "ids of the documents of answers",
        "document_counts": "numbers",
    },
    "trending": {"watches": "what a user wants to be told of", "feed_state": "a number"},
    "twitter": {
        "feed_state": "numbers", "x_ledger": "money", "x_spending": "money", "x_reservations": "money",
        "x_billed": "ids of posts that were paid for", "datasets": "names of data sets", "retweets": "ids",
        "sentiment_versions": "names of models", "x_organisation_spending": "money",
    },
}  # fmt: skip
"""Tables that hold no text of people, and what they hold."""


@pytest.mark.parametrize(
    ("service", "known"),
    [
        ("forecast", "poll_sets"), ("openai", "calls"), ("rag", "conversation_turns"), ("trending", "trends"),
        ("twitter", "tweets"),
    ],
)  # fmt: skip
def test_each_table_with_words_is_on_the_page(service: str, known: str) -> None:
    """Whoever adds a table says there what erases it."""
    sql = "\n".join(text for _, text in migration_files(f"{service}_service"))
    dropped = set(re.findall(r"DROP TABLE (\w+)", sql))
    tables = dict(re.findall(r"CREATE TABLE (\w+) \((.*?)\n\)", sql, re.DOTALL))
    worded = {name for name, columns in tables.items() if COLUMN.search(f"\n{columns}")}
    assert known in worded
    listed = {name for name in worded if re.search(rf"`{name}(?:\.\w+)?`", PAGE)}
    assert worded - dropped - NUMBERS[service].keys() - listed == set()
