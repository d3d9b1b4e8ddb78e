"""Scenarios: the shift moves the drivers, fades as the past did, and the spread is that of the past."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forecast_service.scenarios.model import Drivers, ScenarioQuestion, Shift
from forecast_service.scenarios.predecessor import predecessor_rule
from forecast_service.scenarios.simulation import simulate


def drivers(seed: int = 1, days: int = 120, *, carry: float = 0.6, noise: float = 0.2) -> Drivers:
    """Return ISN and ICR whose logits fade back to their means by ``carry`` a day."""
    rng = np.random.default_rng(seed)
    states = np.zeros((days, 2))
    for day in range(1, days):
        states[day] = carry * states[day - 1] + rng.normal(0, noise, 2)
    positive, icr = 1 / (1 + np.exp(-states[:, 0])), 1 / (1 + np.exp(1 - states[:, 1]))
    return Drivers(tuple(2 * positive - 1), tuple(icr), (500,) * days, 0)


def question(shift: Shift, given: Drivers | None = None, horizon: int = 10) -> ScenarioQuestion:
    return ScenarioQuestion(given or drivers(), shift, 0.5, horizon, 0.8)


def effects(shift: Shift, given: Drivers | None = None) -> list[float]:
    return [day.effect.value for day in simulate(question(shift, given)).days]


@pytest.mark.parametrize(
    ("shift", "first_day"),
    [
        (Shift(sentiment=0.2), 5.0),  # half of 0.2 / 2, in points
        (Shift(sentiment=-0.2), -5.0),
        (Shift(volume=1.0), 7.7),  # an ICR of 0.269 becomes one of 0.424
        (Shift(), 0.0),
    ],
)
def test_the_first_day_follows_from_the_formula(shift: Shift, first_day: float) -> None:
    """The effect of the first day is what ICCE's formula makes of the shift; no shift has none."""
    assert effects(shift)[0] == pytest.approx(first_day, abs=1.2)
    if first_day == 0:
        assert effects(shift) == [0.0] * 10


def test_an_effect_fades_as_past_surprises_did() -> None:
    """With a carry of 0.6 a day the effect halves in 1.4 days; held for five days it stays for five."""
    made = simulate(question(Shift(sentiment=0.3)))
    assert made.half_life_days == pytest.approx(1.36, abs=0.8)
    fading = [day.effect.value for day in made.days]
    assert fading[0] > 1.3 * fading[1] > 1.3 * fading[2]
    assert abs(fading[9]) < 0.7
    held = effects(Shift(sentiment=0.3, days=5))
    assert min(held[:5]) > 0.8 * fading[0] > held[6]


def test_events_of_the_past_are_drawn() -> None:
    """The days of past events rose by a known amount: so does the scenario, with the spread of these days."""
    given = drivers(noise=0.05)
    places = (20, 50, 80, 100)
    isn = list(given.isn)
    for place, rise in zip(places, (0.3, 0.4, 0.5, 0.4), strict=True):
        isn[place] = (isn[place] or 0.0) + rise
    made = simulate(question(Shift(event_places=places), replace(given, isn=tuple(isn))))
    first = made.days[0].effect
    assert first.value == pytest.approx(10, abs=3)
    assert first.low < first.value < first.high


def test_the_interval_holds_what_it_promises() -> None:
    """Over many series the 80 % interval without a shift holds about 80 % of the days that came."""
    held = []
    for seed in range(30):
        whole = drivers(seed)
        known = Drivers(whole.isn[:110], whole.icr[:110], whole.tweets[:110], 0)
        made = simulate(question(Shift(), known))
        for day, isn, icr in zip(made.days, whole.isn[110:], whole.icr[110:], strict=True):
            assert isn is not None
            assert icr is not None
            held.append(day.baseline.low <= 50 * ((isn + 1) / 2 + icr) <= day.baseline.high)
    assert 0.7 <= float(np.mean(held)) <= 0.9


def test_the_same_question_has_the_same_answer() -> None:
    """The draws are fixed."""
    assert simulate(question(Shift(0.1, 0.5))) == simulate(question(Shift(0.1, 0.5)))


@pytest.mark.parametrize("isn", [-1.0, 0.0, 1.0])
def test_series_that_never_moved_and_ends_of_the_scale(isn: float) -> None:
    """Nothing leaves 0 to 100, whatever is supposed; what would pass the end of ISN is cut and said to be."""
    constant = Drivers((isn,) * 60, (1.0,) * 60, (3,) * 60, 2)
    made = simulate(question(Shift(sentiment=1.0, volume=9.0, days=10), constant, horizon=30))
    assert made.shift_was_cut == (isn >= 0)
    for day in made.days:
        assert 0 <= day.scenario.low <= day.scenario.value <= day.scenario.high <= 100


@pytest.mark.parametrize(
    ("event", "shift", "impact", "simulated"),
    [("debate", 0.2, 23, 83), ("crisis", -0.2, -26, 34), ("other", 0.0, 6, 66)],
)
def test_the_predecessors_rule(event: str, shift: float, impact: float, simulated: float) -> None:
    """Golden values of the predecessor for a last ICCE of 60."""
    made = predecessor_rule(60, event, shift)  # type: ignore[arg-type]
    assert (made.impact, made.simulated) == (pytest.approx(impact), pytest.approx(simulated))
    assert made.impact_percent == pytest.approx(100 * impact / 60)
    assert predecessor_rule(0.0, "crisis", -1.0).impact_percent is None
