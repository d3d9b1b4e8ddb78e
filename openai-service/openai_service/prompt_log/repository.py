"""SQL of the prompt log; the prompts are a column of the ledger's rows."""

from __future__ import annotations

from datetime import datetime

from castor_chassis import Postgres

_ERASE = "SELECT erase_prompts($1)"
_DELETE_BEFORE = "SELECT forget_prompts_before($1)"


class PromptRepository:
    """Every method raises ``DatabaseUnavailable`` when PostgreSQL is away."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    async def erase(self, tenant: str) -> int:
        """Erase the prompts of ``tenant``'s calls so far, stored or not yet stored; returns how many were stored."""
        return int(await self._postgres.fetchval(_ERASE, tenant))

    async def delete_before(self, moment: datetime) -> int:
        """Erase at most 1,000 prompts of calls before ``moment``; returns how many, 0 when none is left."""
        return int(await self._postgres.fetchval(_DELETE_BEFORE, moment))
