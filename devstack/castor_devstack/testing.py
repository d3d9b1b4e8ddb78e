"""Pytest fixtures: a real PostgreSQL and a real Valkey, started when a test first asks for one.

They use free ports and a folder of their own, so a running `castor up` and other test runs are not
disturbed. They end with the session, and, tied to it by the kernel, also when the session is killed.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from castor_devstack.stack.ports import PortLeases
from castor_devstack.stack.postgres import EmbeddedPostgres
from castor_devstack.stack.valkey import DATABASES, EmbeddedValkey
from castor_devstack.supervision.atomic_files import remove_tree
from castor_devstack.supervision.os_user import SYSTEM_FOLDER, Account, postgres_account

_TEMPLATE = "castor_test"
_PREFIX = "castor-test-"
_numbers = itertools.count()


@contextmanager
def scratch_folder(account: Account | None) -> Iterator[Path]:
    """Give a folder that ``account`` can enter; it is removed at the end, or by the next run after a crash."""
    base = Path(tempfile.gettempdir())
    if account is not None and not account.may_enter(base):
        base = SYSTEM_FOLDER / "tests"
        base.mkdir(mode=0o755, parents=True, exist_ok=True)
    _remove_abandoned(base)
    unlocked = Path(tempfile.mkdtemp(prefix="castor-new-", dir=base))
    unlocked.chmod(0o711)
    lock = _lock(unlocked)
    folder = unlocked.rename(base / f"{_PREFIX}{secrets.token_hex(4)}")
    try:
        yield folder
    finally:
        remove_tree(folder)
        if lock is not None:
            os.close(lock)


@contextmanager
def running_postgres(
    account: Account | None, ports: PortLeases, database: str, *, fast: bool = True
) -> Iterator[EmbeddedPostgres]:
    """Run a PostgreSQL with ``database`` and a user of its name, durable against a crash unless ``fast``."""
    port = ports.choose({"postgres": 0})["postgres"]
    with scratch_folder(account) as folder:
        server = EmbeddedPostgres(
            folder / "postgres", port=port, password=secrets.token_urlsafe(), account=account, fast=fast
        )
        server.start()
        try:
            server.provision({database: database})
            yield server
        finally:
            server.stop()


@contextmanager
def running_valkey(ports: PortLeases) -> Iterator[EmbeddedValkey]:
    """Run a Valkey that keeps nothing."""
    port = ports.choose({"valkey": 0})["valkey"]
    with scratch_folder(None) as folder:
        server = EmbeddedValkey(folder / "valkey", port=port, password=secrets.token_urlsafe(), fast=True)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def test_account() -> Account | None:
    """The user that PostgreSQL runs as; None: oneself."""
    return postgres_account()


@pytest.fixture(scope="session")
def test_ports() -> Iterator[PortLeases]:
    """Free ports, held for the session, so that a server that a test restarts finds its own again."""
    leases = PortLeases()
    yield leases
    leases.release()


@pytest.fixture(scope="session")
def shared_postgres(test_account: Account | None, test_ports: PortLeases) -> Iterator[EmbeddedPostgres]:
    """The PostgreSQL of this session, without durability against a crash of the machine."""
    with running_postgres(test_account, test_ports, _TEMPLATE) as server:
        yield server


@pytest.fixture(scope="session")
def shared_valkey(test_ports: PortLeases) -> Iterator[EmbeddedValkey]:
    """The Valkey of this session."""
    with running_valkey(test_ports) as server:
        yield server


@pytest.fixture
def postgres_server(shared_postgres: EmbeddedPostgres) -> Iterator[EmbeddedPostgres]:
    """For outage tests: ``stop``, ``kill``, ``start``, ``restart``; it runs again after the test in any case."""
    yield shared_postgres
    if not shared_postgres.running():
        shared_postgres.start()


@pytest.fixture
def redis_server(shared_valkey: EmbeddedValkey) -> Iterator[EmbeddedValkey]:
    """For outage tests: ``stop``, ``kill``, ``start``, ``restart``; it runs again after the test in any case."""
    yield shared_valkey
    if not shared_valkey.running():
        shared_valkey.start()


@contextmanager
def _database(server: EmbeddedPostgres) -> Iterator[str]:
    name = f"test_{secrets.token_hex(4)}"
    server.run_sql(f'CREATE DATABASE "{name}" OWNER {_TEMPLATE} TEMPLATE {_TEMPLATE}')
    yield server.url(name, _TEMPLATE, _TEMPLATE)
    server.run_sql(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="module")
def postgres_url(shared_postgres: EmbeddedPostgres) -> Iterator[str]:
    """URL of a fresh database with vector, unaccent and pg_trgm, owned by a role that is no superuser."""
    with _database(shared_postgres) as url:
        yield url


@pytest.fixture
def own_postgres_url(shared_postgres: EmbeddedPostgres) -> Iterator[str]:
    """``postgres_url`` of a database that no other test uses."""
    with _database(shared_postgres) as url:
        yield url


@pytest.fixture(scope="module")
def redis_url(shared_valkey: EmbeddedValkey) -> str:
    """URL of an empty numbered database of Valkey."""
    number = next(_numbers) % DATABASES
    shared_valkey.flush(number)
    return shared_valkey.url(number)


def _lock(folder: Path) -> int | None:
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _remove_abandoned(base: Path) -> None:
    for folder in base.glob(f"{_PREFIX}*"):
        try:
            lock = _lock(folder)
        except OSError:
            continue
        if lock is not None:
            remove_tree(folder)
            os.close(lock)
