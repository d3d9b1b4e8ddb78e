"""Routes of scenarios."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

from fastapi import APIRouter

from castor_chassis import Ok, Unavailable, errors_of, ok
from forecast_service.api.resources import CanRead, R
from forecast_service.api.schemas.scenarios import (
    PredecessorRule,
    ScenarioAnswer,
    ScenarioPoint,
    ScenarioRequest,
    Spread,
)
from forecast_service.errors import DatasetNotFound, DataTooOld, EntityNotFound, TooFewDays, TooFewEvents
from forecast_service.forecasts.options import Options
from forecast_service.scenarios import model
from forecast_service.scenarios.service import Supposed

router = APIRouter(prefix="/v1/forecast", tags=["forecast"])


@router.post(
    "/scenarios",
    responses=errors_of(EntityNotFound, DatasetNotFound, TooFewDays, DataTooOld, TooFewEvents, Unavailable),
)
async def simulate_scenario(body: ScenarioRequest, r: R, _: CanRead) -> Ok[ScenarioAnswer]:
    """Simulate what a change of sentiment or volume would do to an entity's ICCE. Nothing is stored.

    The same question on the same data gives the same answer.
    """
    supposed = Supposed(body.sentiment_shift, body.volume_change, body.days, body.event, tuple(body.event_days))
    options = Options(body.horizon_days, body.level)
    return ok(_answer(await r.scenarios.simulate(body.entity, body.as_of, supposed, options, body.dataset)))


def _answer(scenario: model.Scenario) -> ScenarioAnswer:
    simulated = scenario.simulated
    half_life = simulated.half_life_days
    return ScenarioAnswer(
        entity=scenario.entity,
        dataset=scenario.dataset,
        as_of=scenario.as_of,
        icce=round(scenario.icce, 4),
        last_observed=scenario.last_observed,
        data_age_days=scenario.data_age_days,
        level=scenario.level,
        trained_days=simulated.trained_days,
        half_life_days=None if half_life is None else round(half_life, 2),
        points=[
            ScenarioPoint(
                date=scenario.last_observed + timedelta(days=ahead),
                baseline=_spread(day.baseline),
                scenario=_spread(day.scenario),
                effect=_spread(day.effect),
            )
            for ahead, day in enumerate(simulated.days, start=1)
        ],
        predecessor=PredecessorRule.model_validate(asdict(scenario.predecessor)),
        notes=scenario.notes,
    )


def _spread(spread: model.Spread) -> Spread:
    return Spread(value=round(spread.value, 3), low=round(spread.low, 3), high=round(spread.high, 3))
