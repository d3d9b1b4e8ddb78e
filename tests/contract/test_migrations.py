"""Every migration works on a database that is in use, and loses nothing."""

from __future__ import annotations

import asyncpg
import pytest

from castor_chassis.storage.migrations import migration_files
from tests.contract.table_filler import TableFiller, total

SERVICES = ("auth", "forecast", "openai", "rag", "trending", "twitter")
GIVEN: dict[str, dict[str, str]] = {
    "rag": {"erasures.tenant": "*", "conversations.tenant": "*", "conversations.owner": "ana"},
}
"""Values that constraints ask for and do not name."""
SESSION = {"rag": {"rag.tenant": "*", "rag.subject": "ana", "rag.roles": ""}}
"""Whose rows the row level security of a service shows."""
READ_AGAIN = {
    "trending": {"0002_hours_and_scopes.sql", "0007_terms_in_tweets.sql"},
    "forecast": {"0006_backtests_begun.sql"},
}
"""Migrations that empty what is read from the feed, or computed, once more."""


@pytest.mark.parametrize("service", SERVICES)
def test_each_number_is_given_once(service: str) -> None:
    """Two migrations of one number would be applied in the order of their names."""
    numbers = [name[:4] for name, _ in migration_files(f"{service}_service")]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("service", SERVICES)
async def test_each_migration_is_applied_to_filled_tables(service: str, own_postgres_url: str) -> None:
    """All tables are filled before each migration, which then succeeds; no row is lost, at most it moves."""
    connection = await asyncpg.connect(own_postgres_url)
    for setting, value in SESSION.get(service, {}).items():
        await connection.execute("SELECT set_config($1, $2, false)", setting, value)
    filler = TableFiller(connection, GIVEN.get(service, {}))
    for name, sql in migration_files(f"{service}_service"):
        before = await filler.fill()
        async with connection.transaction():
            await connection.execute(sql)
        if name not in READ_AGAIN.get(service, ()):
            assert total(await filler.counts()) >= total(before), name
    await filler.fill()
    await connection.close()
