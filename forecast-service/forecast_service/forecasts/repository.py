"""Forecasts that were made."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from castor_chassis import Postgres


class PredictionStore:
    """The table ``predictions``."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def save(self, prediction_id: str, entity: str, as_of: datetime, prediction: dict[str, Any]) -> None:
        """Keep a forecast; idempotent, since the id is made of what went into it."""
        await self._postgres.execute(
            "INSERT INTO predictions (id, entity, as_of, prediction) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            prediction_id,
            entity,
            as_of,
            prediction,
        )

    async def prediction(self, prediction_id: str) -> dict[str, Any] | None:
        """Return a forecast, or None."""
        row = await self._postgres.fetchrow("SELECT prediction FROM predictions WHERE id = $1", prediction_id)
        return None if row is None else dict(row["prediction"])
