"""A pool on the database of a test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from castor_chassis import Postgres


@pytest.fixture
async def postgres(postgres_url: str) -> AsyncIterator[Postgres]:
    database = Postgres(postgres_url, size=4, timeout_seconds=3)
    await database.open()
    yield database
    await database.close()
