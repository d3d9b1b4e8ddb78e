"""SQL of the table ``predictions``."""

from __future__ import annotations

from pydantic import TypeAdapter

from castor_chassis import Postgres
from forecast_service.forecasts.model import Prediction

_JSON = TypeAdapter(Prediction)
# An update that changes nothing, so that the row is returned also where another request stored it just now.
_SAVE = """
INSERT INTO predictions (id, entity, as_of, prediction, is_told, analysis_due_at)
VALUES ($1, $2, $3, $4, $5, CASE WHEN $5 THEN now() END)
ON CONFLICT (id) DO UPDATE SET id = excluded.id
RETURNING prediction
"""


class PredictionRepository:
    """Stores forecasts that were made. Every method raises ``DatabaseUnavailable`` when PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def save(self, prediction: Prediction, *, is_told: bool = False) -> Prediction:
        """Store a forecast, or return the one that is stored under its id; the analysis of a new one may be told."""
        stored = await self._postgres.fetchval(
            _SAVE,
            prediction.id,
            prediction.entity,
            prediction.as_of,
            _JSON.dump_python(prediction, mode="json"),
            is_told,
        )
        return _JSON.validate_python(stored)

    async def prediction(self, prediction_id: str) -> Prediction | None:
        """Return a forecast, or None."""
        stored = await self._postgres.fetchval("SELECT prediction FROM predictions WHERE id = $1", prediction_id)
        return None if stored is None else _JSON.validate_python(stored)

    async def forget(self, days: int) -> None:
        """Delete forecasts that were made more than ``days`` days ago."""
        await self._postgres.execute("DELETE FROM predictions WHERE made_at < now() - make_interval(days => $1)", days)
