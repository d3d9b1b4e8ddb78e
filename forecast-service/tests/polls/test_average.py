"""The poll average: it finds the level and the pollsters' effects, and its band holds what it promises."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from forecast_service.polls.average import average
from forecast_service.polls.model import Poll

FIRST = date(2026, 1, 1)
HOUSES = {"alfa": 0.2, "beta": 0.0, "gama": -0.2}


def simulated(
    seed: int, polls: int, *, days: int = 90, houses: dict[str, float] = HOUSES
) -> tuple[list[Poll], np.ndarray]:
    """Return polls of pollsters with known effects on the logit scale, and the true shares by day."""
    rng = np.random.default_rng(seed)
    level = rng.normal(-0.8, 0.5) + np.cumsum(rng.normal(0, 0.02, days))
    made = []
    for number in range(polls):
        at, house = int(rng.integers(days)), rng.choice(list(houses))
        share = 1 / (1 + np.exp(-(level[at] + houses[house] + rng.normal(0, 0.05))))
        day, size = FIRST + timedelta(days=at), 1000 + number
        made.append(Poll(house, day, day, size, (("ana", 100 * rng.binomial(size, share) / size),)))
    return made, 100 / (1 + np.exp(-level))


def test_the_band_holds_the_truth() -> None:
    """Over many simulated contests the 80 % band of the last day holds the true share about as often."""
    held = 0
    for seed in range(40):
        drawn = np.random.default_rng(1000 + seed).normal(0, 0.12, 5)
        polls, truth = simulated(seed, 20, houses=dict(zip("abcde", drawn.tolist(), strict=True)))
        last = average("ana", polls, FIRST + timedelta(days=89), 0.8).days[-1]
        held += last.low <= truth[-1] <= last.high
    assert 27 <= held <= 38


def test_effects_of_pollsters_are_found() -> None:
    """Two pollsters four points apart are seen as such, each with a band; the average lies between them."""
    polls, _ = simulated(3, 120)
    made = average("ana", polls, FIRST + timedelta(days=89), 0.95)
    effects = {house.pollster: house for house in made.houses}
    assert effects["alfa"].low > 0 > effects["gama"].high
    assert effects["beta"].low < 0 < effects["beta"].high
    assert sum(house.polls for house in made.houses) == made.polls == 120


def test_the_average_does_not_jump_when_another_pollster_publishes() -> None:
    """A pollster that is always six points higher moves the average by little when it publishes."""
    polls = [
        Poll("alfa" if at % 2 else "beta", day, day, 1200, (("ana", 33.0 if at % 2 else 27.0),))
        for at, day in enumerate(FIRST + timedelta(days=4 * step) for step in range(16))
    ]
    shares = [day.share for day in average("ana", polls, FIRST + timedelta(days=60), 0.95).days]
    assert max(abs(np.diff(shares))) < 0.3
    assert all(28 < share < 32 for share in shares)


def test_days_without_polls_widen_the_band() -> None:
    """A month after the last poll the band is wider than on its day."""
    polls, _ = simulated(4, 30, days=60)
    days = average("ana", polls, FIRST + timedelta(days=100), 0.95).days
    assert (days[-1].date, days[-1].share) == (FIRST + timedelta(days=100), pytest.approx(days[-40].share, abs=1))
    assert days[-1].high - days[-1].low > 1.2 * (days[-40].high - days[-40].low)


def test_small_samples_count_less() -> None:
    """Of two polls on one day the average lies nearer the one that asked more people."""
    sizes = {20.0: 200, 30.0: 20_000}
    polls = [
        Poll("alfa", FIRST + timedelta(days=at), FIRST + timedelta(days=at), size, (("ana", share),))
        for at in range(5)
        for share, size in sizes.items()
    ]
    assert average("ana", polls, FIRST + timedelta(days=5), 0.95).days[-1].share > 25.5


@pytest.mark.parametrize("share", [0.0, 100.0])
def test_nobody_and_everybody(share: float) -> None:
    """Shares of 0 and 100 percent have an average within the bounds, and a band of some width."""
    polls = [Poll("alfa", FIRST, FIRST + timedelta(days=at), 500, (("ana", share),)) for at in range(4)]
    last = average("ana", polls, FIRST + timedelta(days=9), 0.95).days[-1]
    assert 0 <= last.low < last.share < last.high <= 100
    assert abs(last.share - share) < 1
