"""PostgreSQL and Valkey of a measurement's own, ended with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from castor_devstack.stack.ports import PortLeases
from castor_devstack.stack.postgres import EmbeddedPostgres
from castor_devstack.supervision.os_user import postgres_account
from castor_devstack.testing import running_postgres, running_valkey

_DATABASE = "bench"


@contextmanager
def postgres_server(*, fast: bool = False) -> Iterator[EmbeddedPostgres]:
    """Run a PostgreSQL with the settings of ``castor up``, or not durable (``fast``); see ``url_in``."""
    with _leases() as leases, running_postgres(postgres_account(), leases, _DATABASE, fast=fast) as server:
        yield server


def url_in(server: EmbeddedPostgres) -> str:
    """Return the URL of the database that a server of ``postgres_server`` has."""
    return server.url(_DATABASE, _DATABASE, _DATABASE)


@contextmanager
def stores() -> Iterator[tuple[str, str]]:
    """Run a PostgreSQL that is not durable and a Valkey, and yield the URLs of a database in each."""
    with postgres_server(fast=True) as server, _leases() as leases, running_valkey(leases) as valkey:
        yield url_in(server), valkey.url(0)


@contextmanager
def _leases() -> Iterator[PortLeases]:
    leases = PortLeases()
    try:
        yield leases
    finally:
        leases.release()
