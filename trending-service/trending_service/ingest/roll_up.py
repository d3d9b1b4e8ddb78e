"""Counts hours anew after their tweets changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from trending_service.signals.hours_repository import HoursRepository


@dataclass(frozen=True, slots=True)
class RollUp:
    """Runs on every replica: each takes days that no other counts. ``ready`` raises until the tables are there."""

    hours: HoursRepository
    ready: Callable[[], Awaitable[None]]
    idle_seconds: float

    async def run(self) -> None:
        """Count hours until cancelled; raises what the database raises, and is then started again."""
        await self.ready()
        while True:
            if not await self.hours.roll_up():
                await asyncio.sleep(self.idle_seconds)
