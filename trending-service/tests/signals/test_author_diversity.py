"""The effective number of authors."""

from __future__ import annotations

import pytest

from trending_service.signals.author_diversity import effective_authors


def test_the_effective_number_of_authors_is_the_exponential_of_their_entropy() -> None:
    """Four equally busy authors are four, one is one, a dominant one is little more than one."""
    assert effective_authors([5, 5, 5, 5]) == pytest.approx(4)
    assert effective_authors([7]) == pytest.approx(1)
    assert 1 < effective_authors([97, 1, 1, 1]) < 1.3
    assert effective_authors([]) == 0
