"""The SQL of filters."""

from __future__ import annotations

from rag_service.documents.model import ANALYSIS
from rag_service.retrieval.model import Filters


def where_of(filters: Filters, *, first: int) -> tuple[str, list[object]]:
    """Return the condition that a document ``d`` matches the filters, and its values, numbered from ``first``."""
    # Only the given filters stand in the statement, so that each combination gets a plan of its own.
    author = None if filters.author is None else filters.author.removeprefix("@").lower()
    conditions = (
        ("d.published_at <= {}", filters.as_of),
        ("d.source = {}", filters.source),
        ("lower(d.author) = {}", author),
        ("d.entities @> ARRAY[{}::text]", filters.entity),
        ("d.published_at >= {}", filters.since),
        ("d.published_at < {}", filters.until),
        ("d.axes @> ARRAY[{}::text]", filters.axis),
        ("d.places @> ARRAY[{}::text]", filters.place),
        ("d.metadata ->> 'label' = {}", filters.sentiment),
        ("d.datasets @> ARRAY[{}::text]", filters.dataset),
        ("d.origin = {}", filters.origin),
        ("d.stored_by = {}", filters.stored_by),
        ("d.origin <> {}", ANALYSIS if filters.voices else None),
    )
    given = [(sql, value) for sql, value in conditions if value is not None]
    # Row level security decides who reads what; the organisation stands here as well, so that its index is used.
    given.append(("d.tenant IN ('', {})", filters.access.tenant))
    texts = [sql.format(f"${number}") for number, (sql, _) in enumerate(given, first)]
    return " AND ".join(texts), [value for _, value in given]
