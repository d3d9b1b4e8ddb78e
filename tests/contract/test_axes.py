"""The ten axes: two services classify by them, each with its own method, by one list of terms."""

from __future__ import annotations

from openai_service.tasks import topics
from twitter_service.matching import axes


def test_the_lists_of_terms_are_equal() -> None:
    """A term that one service knows the other knows as well, for the same axis."""
    assert {axis.slug: axis.terms for axis in topics.AXES} == {
        slug: tuple(terms.split(", ")) for slug, terms in axes.AXES.items()
    }
