"""What administrators of the default organisation do with organisations."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from auth_service.accounts.changes import AccountChanges
from auth_service.audit.recorder import Audit
from auth_service.errors import OrganisationExists, OrganisationNotFound, UserNotFound
from auth_service.organisations import repository
from auth_service.organisations.repository import Organisation
from auth_service.users import repository as users
from auth_service.users.client import Client
from auth_service.users.model import Actor, User
from auth_service.users.roles import DEFAULT_ORGANISATION
from castor_chassis import Postgres

_LISTED = 10_000


@dataclass(frozen=True)
class Organisations:
    """Makes and lists organisations, and moves accounts between them."""

    postgres: Postgres
    audit: Audit
    changes: AccountChanges

    async def listed(self) -> list[Organisation]:
        """Return the organisations by their ids, at most 1,000."""
        return await repository.listed(self.postgres, _LISTED)

    async def create(self, organisation_id: str, name: str, by: Actor, client: Client) -> None:
        """Make an organisation without accounts; raises ``OrganisationExists``."""
        async with self.postgres.transaction() as db:
            if not await repository.insert(db, organisation_id, name):
                raise OrganisationExists(org=organisation_id)
            await self.audit.record(db, "organisation_created", subject=by.id, client=client, about=organisation_id)

    async def move(self, user_id: str, organisation_id: str, by: Actor, client: Client) -> User:
        """Let an account belong to another organisation, and end its sessions: no token says the former one any more.

        Raises ``UserNotFound``, ``OrganisationNotFound`` or ``LastAdministrator``.
        """
        async with self.changes.begin(user_id, client, acting=by) as change:
            if not await repository.exists(change.db, organisation_id):
                raise OrganisationNotFound(org=organisation_id)
            if organisation_id != DEFAULT_ORGANISATION:
                await change.require_other_administrator()
            await repository.move(change.db, uuid.UUID(user_id), organisation_id)
            await change.record("organisation_set", org=organisation_id)
            await change.end_sessions("organisation_changed")
            user = await users.by_id(change.db, uuid.UUID(user_id))
        if user is None:
            raise UserNotFound(user_id=user_id)
        return user
