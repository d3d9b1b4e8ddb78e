"""The registered clients: the console, which the settings name, and those that administrators register."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from auth_service.audit.recorder import Audit
from auth_service.errors import OidcClientNotFound
from auth_service.oidc import client_repository
from auth_service.oidc.model import OidcClient
from auth_service.users.client import Client
from auth_service.users.roles import Scope
from castor_chassis import Postgres

CONSOLE = "castor-console"
_LISTED = 10_000


def console_client(redirect_uris: str, issuer: str) -> OidcClient:
    """Return the client of our own frontend, with all scopes.

    ``redirect_uris`` are space separated; without one it is the first page at the address of ``issuer``, where the
    ingress serves the console.
    """
    public = urlsplit(issuer)
    uris = tuple(redirect_uris.split()) or (f"{public.scheme}://{public.netloc}/",)
    return OidcClient(CONSOLE, "Consola de CASTOR", uris, uris, tuple(Scope))


@dataclass(frozen=True)
class OidcClients:
    """Registers, lists, finds and ends clients."""

    postgres: Postgres
    audit: Audit
    console: OidcClient

    async def find(self, client_id: str) -> OidcClient | None:
        """Return a client in force."""
        if client_id == CONSOLE:
            return self.console
        return await client_repository.by_id(self.postgres, client_id)

    async def in_force(self) -> list[OidcClient]:
        """Return the clients in force, the console first, then the newest; at most 200 besides the console."""
        return [self.console, *await client_repository.in_force(self.postgres, _LISTED)]

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
