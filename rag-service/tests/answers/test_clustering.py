"""What is one position and what are two: likeness, opposite sentiment, and groups that say the same."""

from __future__ import annotations

import numpy as np
import pytest

from rag_service.answers.clustering import FIRST_GROUPS, MOST_GROUPS, SAME, groups_of, similarities


def test_groups_that_are_alike_are_one() -> None:
    """Two pairs, nearly as alike across as within, are one position; a text like none of them is another."""
    alike = np.array(
        [
            [1.0, 0.3, 0.25, 0.25, 0.0],
            [0.3, 1.0, 0.25, 0.25, 0.0],
            [0.25, 0.25, 1.0, 0.3, 0.0],
            [0.25, 0.25, 0.3, 1.0, 0.0],
            [0.0, 0.0, 0.0, 0.0, 1.0],
        ]
    )
    assert [sorted(group) for group in groups_of(alike, [1.0] * 5)] == [[0, 1, 2, 3], [4]]


def test_groups_that_share_little_stay_apart() -> None:
    """The same pairs, each more alike within than to the other."""
    alike = np.eye(4) + np.array([[0, 0.5, 0.1, 0.1], [0.5, 0, 0.1, 0.1], [0.1, 0.1, 0, 0.5], [0.1, 0.1, 0.5, 0]])
    assert [sorted(group) for group in groups_of(alike, [1.0] * 4)] == [[0, 1], [2, 3]]


def test_what_small_groups_hold_goes_to_the_nearest_large_one() -> None:
    """More groups are made than are told: what is left goes where it is like something, and is else in none."""
    count = FIRST_GROUPS
    alike = np.eye(count)
    alike[0, count - 1] = alike[count - 1, 0] = 0.04
    weights = [float(count - place) for place in range(count)]
    groups = groups_of(alike, weights)
    assert len(groups) == MOST_GROUPS
    assert groups[0] == [0, count - 1]
    assert count - 2 not in {place for group in groups for place in group}


@pytest.mark.parametrize(
    ("labels", "one"),
    [
        (("positive", "negative"), False),
        (("positive", "neutral"), True),
        (("negative", "negative"), True),
        ((None, None), True),
    ],
)
def test_praise_and_blame_in_the_same_words_are_two_positions(labels: tuple[str | None, str | None], one: bool) -> None:
    """Texts of one wording are the same, but not where one praises what the other blames."""
    texts = ["El cierre de campaña en Cali fue una fiesta", "El cierre de campaña en Pasto fue un fracaso", "Llueve"]
    alike = similarities(texts, frozenset(), [[1.0, 0.1], [1.0, 0.2], [0.0, 1.0]], [*labels, None])
    assert bool(alike[0, 1] > SAME) is one
    assert alike[0, 1] == alike[1, 0]
