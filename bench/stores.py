"""PostgreSQL and Valkey of a measurement's own, ended with it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from castor_devstack.stack.ports import PortLeases
from castor_devstack.stack.postgres import EmbeddedPostgres
from castor_devstack.stack.valkey import EmbeddedValkey
from castor_devstack.supervision.os_user import postgres_account
from castor_devstack.testing import scratch_folder


@contextmanager
def postgres_server(*, fast: bool = False) -> Iterator[EmbeddedPostgres]:
    """Run a PostgreSQL with the settings of ``castor up``, or not durable (``fast``); see ``url_in``."""
    account, leases = postgres_account(), PortLeases()
    port = leases.choose({"postgres": 0})["postgres"]
    with scratch_folder(account) as folder:
        server = EmbeddedPostgres(
            folder / "postgres", port=port, password=secrets.token_urlsafe(), account=account, fast=fast
        )
        server.start()
        try:
            server.provision({"bench": "bench"})
            yield server
        finally:
            server.stop()
            leases.release()


def url_in(server: EmbeddedPostgres) -> str:
    """Return the URL of the database that a server of ``postgres_server`` has."""
    return server.url("bench", "bench", "bench")


@contextmanager
def stores() -> Iterator[tuple[str, str]]:
    """Run a PostgreSQL that is not durable and a Valkey, and yield the URLs of a database in each."""
    leases = PortLeases()
    port = leases.choose({"valkey": 0})["valkey"]
    with postgres_server(fast=True) as server, scratch_folder(None) as folder:
        valkey = EmbeddedValkey(folder / "valkey", port=port, password=secrets.token_urlsafe(), fast=True)
        valkey.start()
        try:
            yield url_in(server), valkey.url(0)
        finally:
            valkey.stop()
            leases.release()
