"""Addresses of a frontend that users keep under a name, so that they have them in every browser."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from auth_service.errors import SavedViewNotFound, TooManySavedViews
from auth_service.users import saved_view_repository as repository
from auth_service.users.saved_view_repository import SavedView
from castor_chassis import Postgres

MOST = 200


@dataclass(frozen=True)
class SavedViews:
    """Keeps the views of each user."""

    postgres: Postgres

    async def of_user(self, user_id: str) -> list[SavedView]:
        """Return a user's views in order of name."""
        return await repository.of_user(self.postgres, uuid.UUID(user_id))

    async def save(self, user_id: str, name: str, address: str) -> SavedView:
        """Keep an address under a name, in place of what had it; raises ``TooManySavedViews``."""
        saved = await repository.save(self.postgres, uuid.UUID(user_id), name, address, MOST)
        if saved is None:
            raise TooManySavedViews(limit=MOST)
        return saved

    async def delete(self, user_id: str, view_id: str) -> None:
        """Forget a view; raises ``SavedViewNotFound``."""
        if not await repository.delete(self.postgres, uuid.UUID(user_id), uuid.UUID(view_id)):
            raise SavedViewNotFound
