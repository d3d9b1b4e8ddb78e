"""Predictions in a real PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from castor_chassis import Postgres
from forecast_service.forecasts.model import PredictedDay, Prediction
from forecast_service.forecasts.repository import PredictionRepository

PREDICTION = Prediction(
    id=32 * "a",
    entity="ana",
    as_of=datetime(2026, 5, 30, 15, tzinfo=UTC),
    icce=41.25,
    days_observed=90,
    method="theta",
    skill=None,
    level=0.8,
    points=[PredictedDay(date(2026, 5, 30), 41.0, 38.5, 43.5)],
    last_observed=date(2026, 5, 29),
    data_age_days=0,
    coverage=0.75,
    weights={"theta": 1.0},
    notes=["stale"],
)


async def test_a_prediction_is_read_back_as_it_was_saved(postgres: Postgres) -> None:
    """Saving twice stores one row, and every field comes back with its type."""
    predictions = PredictionRepository(postgres)
    later = replace(PREDICTION, as_of=PREDICTION.as_of + timedelta(hours=1))
    assert await predictions.save(PREDICTION) == PREDICTION
    assert await predictions.save(later) == PREDICTION
    assert await predictions.prediction(PREDICTION.id) == PREDICTION
    assert await predictions.prediction(32 * "b") is None


async def test_forecasts_are_forgotten_after_a_time(postgres: Postgres) -> None:
    """Those that were made so many days ago are deleted, whenever they were asked for."""
    predictions = PredictionRepository(postgres)
    old = replace(PREDICTION, id=32 * "c")
    await predictions.save(PREDICTION)
    await predictions.save(old)
    await postgres.execute("UPDATE predictions SET made_at = now() - interval '9 days' WHERE id = $1", old.id)
    await predictions.forget(10)
    assert await predictions.prediction(old.id) == old
    await predictions.forget(8)
    assert [await predictions.prediction(one.id) for one in (old, PREDICTION)] == [None, PREDICTION]


async def test_rows_keep_the_json_that_earlier_versions_wrote_and_read(postgres: Postgres) -> None:
    """Times end with Z and days are ISO dates, so that two versions can run side by side on one table."""
    await PredictionRepository(postgres).save(PREDICTION)
    stored = await postgres.fetchval("SELECT prediction FROM predictions WHERE id = $1", PREDICTION.id)
    assert stored == {
        "id": 32 * "a",
        "entity": "ana",
        "as_of": "2026-05-30T15:00:00Z",
        "icce": 41.25,
        "days_observed": 90,
        "method": "theta",
        "skill": None,
        "level": 0.8,
        "points": [{"date": "2026-05-30", "value": 41.0, "low": 38.5, "high": 43.5}],
        "last_observed": "2026-05-29",
        "data_age_days": 0,
        "coverage": 0.75,
        "weights": {"theta": 1.0},
        "notes": ["stale"],
        "dataset": None,
    }


async def test_rows_of_earlier_versions_are_read(postgres: Postgres) -> None:
    """A row without what is kept today is read; what is not known of it is None."""
    predictions = PredictionRepository(postgres)
    await predictions.save(PREDICTION)
    await postgres.execute(
        "UPDATE predictions SET prediction = prediction"
        " - ARRAY['last_observed', 'data_age_days', 'coverage', 'weights', 'notes']"
    )
    read = await predictions.prediction(PREDICTION.id)
    assert read is not None
    assert (read.points, read.last_observed, read.data_age_days, read.coverage) == (PREDICTION.points, None, None, None)
    assert (read.weights, read.notes) == ({}, [])
