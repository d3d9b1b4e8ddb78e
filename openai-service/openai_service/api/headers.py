"""The headers that say how an answer was made, and the one that asks for a new answer."""

from __future__ import annotations

_TEXT = {"schema": {"type": "string"}}
DEGRADED_HEADER = {"X-Castor-Degraded": {"description": "What the answer was made without.", **_TEXT}}
CACHE_HEADER = {
    "X-Castor-Cache": {"description": "'hit' or 'shared' when no model was asked for this answer.", **_TEXT}
}

ADAPTED_HEADER = {
    "X-Castor-Adapted": {
        "description": "Fields of the request that the model's provider does not know, and what became of them: "
        "'renamed max_tokens to max_completion_tokens, dropped temperature'.",
        **_TEXT,
    }
}


def answer_headers(
    degraded: list[str] | None, cache: str | None = None, adapted: tuple[str, ...] = ()
) -> dict[str, str]:
    """Return the headers of an answer, without those that have nothing to say."""
    given = {
        "X-Castor-Degraded": ", ".join(degraded or ()),
        "X-Castor-Cache": cache or "",
        "X-Castor-Adapted": ", ".join(adapted),
    }
    return {name: value for name, value in given.items() if value}


def is_fresh(cache_control: str | None) -> bool:
    """Return whether the request's ``Cache-Control`` (RFC 9111, section 5.2.1) demands a new answer."""
    directives = {directive.strip().lower() for directive in (cache_control or "").split(",")}
    return not directives.isdisjoint({"no-cache", "no-store"})
