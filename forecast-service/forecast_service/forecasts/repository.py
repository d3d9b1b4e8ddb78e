"""SQL of the table ``predictions``."""

from __future__ import annotations

from pydantic import TypeAdapter

from castor_chassis import Postgres
from forecast_service.forecasts.model import Prediction

_JSON = TypeAdapter(Prediction)


class PredictionRepository:
    """Stores forecasts that were made. Every method raises ``DatabaseUnavailable`` when PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def save(self, prediction: Prediction) -> None:
        """Store a forecast; one whose id is stored already is left as it is."""
        await self._postgres.execute(
            "INSERT INTO predictions (id, entity, as_of, prediction) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            prediction.id,
            prediction.entity,
            prediction.as_of,
            _JSON.dump_python(prediction, mode="json"),
        )

    async def prediction(self, prediction_id: str) -> Prediction | None:
        """Return a forecast, or None."""
        stored = await self._postgres.fetchval("SELECT prediction FROM predictions WHERE id = $1", prediction_id)
        return None if stored is None else _JSON.validate_python(stored)
