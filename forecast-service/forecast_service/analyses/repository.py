"""SQL of the analyses that are due."""

from __future__ import annotations

from pydantic import TypeAdapter

from castor_chassis import Postgres
from forecast_service.forecasts.model import Prediction

_JSON = TypeAdapter(Prediction)
# The row becomes due again by itself when whoever took it is killed.
_CLAIM = """
UPDATE predictions SET analysis_due_at = now() + make_interval(secs => $1)
WHERE id = (
    SELECT id FROM predictions WHERE analysis_due_at <= now()
    ORDER BY analysis_due_at, made_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING prediction
"""


class AnalysisRepository:
    """Forecasts whose analysis is due. Every method raises ``DatabaseUnavailable`` when PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def claim(self, seconds: float) -> Prediction | None:
        """Take the forecast that is due for longest; nobody else gets it for ``seconds``. None when none is due."""
        found = await self._postgres.fetchval(_CLAIM, seconds)
        return None if found is None else _JSON.validate_python(found)

    async def settle(self, prediction: Prediction) -> None:
        """Note that the analysis of a forecast is stored."""
        await self._postgres.execute("UPDATE predictions SET analysis_due_at = NULL WHERE id = $1", prediction.id)

    async def waiting(self) -> int:
        """Return how many analyses are not stored yet."""
        return int(await self._postgres.fetchval("SELECT count(*) FROM predictions WHERE analysis_due_at IS NOT NULL"))
