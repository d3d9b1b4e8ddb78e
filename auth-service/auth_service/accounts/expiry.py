"""Deletes registrations and one-time tokens that were not used in time."""

from __future__ import annotations

from auth_service.accounts import one_time_token_repository, registration_repository
from castor_chassis import Postgres


async def delete_expired(postgres: Postgres) -> None:
    """Delete what has expired, with the addresses and hashes in it."""
    await registration_repository.delete_expired(postgres)
    await one_time_token_repository.delete_expired(postgres)
