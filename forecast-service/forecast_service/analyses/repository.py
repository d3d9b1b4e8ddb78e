"""SQL of the analyses that are due."""

from __future__ import annotations

from pydantic import TypeAdapter

from castor_chassis import DAYS_OF, Postgres
from forecast_service.forecasts.model import Prediction

_JSON = TypeAdapter(Prediction)
_ZONE = DAYS_OF.key
_HAS_LATER = f"""EXISTS (
    SELECT FROM predictions AS later WHERE later.is_told AND later.entity = predictions.entity
        AND coalesce(later.prediction ->> 'dataset', '') = coalesce(predictions.prediction ->> 'dataset', '')
        AND (later.as_of AT TIME ZONE '{_ZONE}')::date = (predictions.as_of AT TIME ZONE '{_ZONE}')::date
        AND (later.made_at, later.id) > (predictions.made_at, predictions.id))"""

# Of forecasts with one document the last tells it, also when an earlier one may have replaced it in the meantime.
_PASS_ON = f"""
WITH earlier AS (
    UPDATE predictions SET analysis_due_at = NULL
    WHERE id IN (
        SELECT id FROM predictions WHERE analysis_due_at <= now() AND {_HAS_LATER} FOR UPDATE SKIP LOCKED)
    RETURNING entity, as_of, prediction ->> 'dataset' AS dataset)
UPDATE predictions SET analysis_due_at = now() FROM earlier
WHERE is_told AND predictions.entity = earlier.entity
    AND coalesce(prediction ->> 'dataset', '') = coalesce(earlier.dataset, '')
    AND (predictions.as_of AT TIME ZONE '{_ZONE}')::date = (earlier.as_of AT TIME ZONE '{_ZONE}')::date
    AND NOT {_HAS_LATER}
"""

# The row becomes due again by itself when whoever took it is killed.
_CLAIM = f"""
UPDATE predictions SET analysis_due_at = now() + make_interval(secs => $1)
WHERE id = (
    SELECT id FROM predictions WHERE analysis_due_at <= now() AND NOT {_HAS_LATER}
    ORDER BY analysis_due_at, made_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING prediction
"""

# One that was made due since it was taken stays due.
_SETTLE = f"""
UPDATE predictions SET analysis_due_at = CASE WHEN {_HAS_LATER} THEN now() END
WHERE id = $1 AND analysis_due_at > now()
"""


class AnalysisRepository:
    """Forecasts whose analysis is due. Every method raises ``DatabaseUnavailable`` when PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def claim(self, seconds: float) -> Prediction | None:
        """Take the forecast that is due for longest; nobody else gets it for ``seconds``. None when none is due.

        Of forecasts of one entity, data set and local day none but the last is taken.
        """
        await self._postgres.execute(_PASS_ON)
        found = await self._postgres.fetchval(_CLAIM, seconds)
        return None if found is None else _JSON.validate_python(found)

    async def settle(self, prediction: Prediction) -> None:
        """Note that the analysis of a forecast is stored; where a later one tells the document, that is due again."""
        await self._postgres.execute(_SETTLE, prediction.id)

    async def waiting(self) -> int:
        """Return how many analyses are not stored yet."""
        return int(await self._postgres.fetchval("SELECT count(*) FROM predictions WHERE analysis_due_at IS NOT NULL"))
