"""What is one position and what are two: likeness, opposite sentiment, and groups that say the same."""

from __future__ import annotations

import numpy as np
import pytest

from rag_service.answers.clustering import (
    FEW_GROUPS,
    FIRST_GROUPS,
    MOST_GROUPS,
    SAME,
    groups_of,
    meanings,
    similarities,
)


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


def test_groups_of_one_meaning_are_one_but_for_a_few() -> None:
    """What differs by its words alone is no position of its own, though some groups are left to tell."""
    apart = np.eye(6)
    assert len(groups_of(apart, [1.0] * 6)) == MOST_GROUPS
    assert len(groups_of(apart, [1.0] * 6, meaning=np.full((6, 6), 0.9))) == FEW_GROUPS
    pairs = np.kron(np.eye(3), np.full((2, 2), 0.5)) + 0.3
    assert len(groups_of(apart[:4, :4], [1.0] * 4, meaning=pairs[:4, :4])) == 3


def test_a_group_that_stands_for_little_is_shared_out() -> None:
    """One of less than a tenth of all that is said goes to the nearest, unless only one would be left."""
    alike = np.eye(3)
    alike[0, 2] = alike[2, 0] = 0.1
    assert groups_of(alike, [5.0, 5.0, 1.0]) == [[0, 2], [1]]
    assert groups_of(np.eye(2), [20.0, 1.0]) == [[0], [1]]


def test_what_is_in_no_group_goes_to_the_nearest_in_meaning() -> None:
    """A text that shares nothing with the one that stands for a group may still say what its members do."""
    alike, meaning = np.eye(3), np.array([[1.0, 0.2, 0.2], [0.2, 1.0, 0.6], [0.2, 0.6, 1.0]])
    assert groups_of(alike, [5.0, 5.0, 0.1], meaning=meaning) == [[1, 2], [0]]
    meaning[1, 2] = meaning[2, 1] = 0.3
    assert groups_of(alike, [5.0, 5.0, 0.1], meaning=meaning) == [[0], [1]]


def test_meaning_needs_all_vectors_and_the_same_tone() -> None:
    """Where a vector is missing nothing is known of the meaning; praise and blame are less alike."""
    assert meanings([[1.0, 0.0], None]) is None
    same, opposed = (meanings([[1.0, 0.0], [1.0, 0.0]], labels) for labels in ((), ("positive", "negative")))
    assert same is not None
    assert opposed is not None
    assert same[0, 1] == pytest.approx(1.0)
    assert opposed[0, 1] < same[0, 1]


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
