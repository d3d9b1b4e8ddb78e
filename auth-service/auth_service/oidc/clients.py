"""The registered clients: the console, which the settings name, and those that administrators register."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from auth_service.audit.recorder import Audit
from auth_service.errors import OidcClientNotFound
from auth_service.oidc import client_repository
from auth_service.oidc.model import OidcClient
from auth_service.users.client import Client
from auth_service.users.roles import Scope
from castor_chassis import Postgres

CONSOLE = "castor-console"
_LISTED = 10_000


def console_client(redirect_uris: str) -> OidcClient | None:
    """Return the client of our own frontend, with all scopes; None without a (space separated) redirect URI."""
    uris = tuple(redirect_uris.split())
    return OidcClient(CONSOLE, "Consola de CASTOR", uris, uris, tuple(Scope)) if uris else None


@dataclass(frozen=True)
class OidcClients:
    """Registers, lists, finds and ends clients."""

    postgres: Postgres
    audit: Audit
    console: OidcClient | None

    async def find(self, client_id: str) -> OidcClient | None:
        """Return a client in force."""
        if self.console is not None and client_id == CONSOLE:
            return self.console
        return await client_repository.by_id(self.postgres, client_id)

    async def in_force(self) -> list[OidcClient]:
        """Return the clients in force, the console first, then the newest; at most 200 besides the console."""
        registered = await client_repository.in_force(self.postgres, _LISTED)
        return [self.console, *registered] if self.console else registered

    async def register(
        self,
        name: str,
        redirect_uris: Sequence[str],
        logout_uris: Sequence[str],
        scopes: Sequence[str],
        by: str,
        client: Client,
    ) -> OidcClient:
        """Return a new client; ``by`` is the administrator."""
        new = OidcClient(
            f"castor-app-{secrets.token_hex(6)}", name, tuple(redirect_uris), tuple(logout_uris), tuple(scopes)
        )
        async with self.postgres.transaction() as db:
            made = await client_repository.insert(db, new)
            await self.audit.record(db, "oidc_client_registered", subject=by, client=client, about=made.id)
        return made

    async def revoke(self, client_id: str, by: str, client: Client) -> OidcClient:
        """End a client: it gets no more logins and cannot refresh; raises ``OidcClientNotFound``."""
        async with self.postgres.transaction() as db:
            ended = await client_repository.revoke(db, client_id)
            if ended is None:
                raise OidcClientNotFound(client_id=client_id)
            await self.audit.record(db, "oidc_client_revoked", subject=by, client=client, about=client_id)
        return ended
