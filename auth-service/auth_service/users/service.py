"""Look-ups of accounts."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from auth_service.errors import UserNotFound
from auth_service.users import repository
from auth_service.users.model import User, UserSearch
from castor_chassis import Postgres


@dataclass(frozen=True)
class Users:
    """Finds accounts."""

    postgres: Postgres

    async def get(self, user_id: str, *, within: str | None = None) -> User:
        """Return an account; raises ``UserNotFound``, for one of another organisation than ``within`` as well."""
        user = await repository.by_id(self.postgres, uuid.UUID(user_id), within=within)
        if user is None:
            raise UserNotFound(user_id=user_id)
        return user

    async def by_email(self, email: str) -> User | None:
        """Return the account of a normalised address, or None."""
        return await repository.by_email(self.postgres, email)

    async def search(self, wanted: UserSearch, limit: int) -> list[User]:
        """Return accounts, newest first."""
        return await repository.search(self.postgres, wanted, limit)
