"""The base of PostgreSQL and Valkey here; tests also run them without the supervisor."""

from __future__ import annotations

import signal
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from castor_devstack.errors import PartFailed
from castor_devstack.supervision.atomic_files import last_lines
from castor_devstack.supervision.os_user import Account, identity
from castor_devstack.supervision.processes import tied_to_parent


class Server(ABC):
    """One server in one folder.

    The supervisor calls ``prepare`` and runs ``command`` itself; tests call ``start``, ``stop``, ``restart``
    and ``kill``. The port never changes.
    """

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self, folder: Path, *, port: int, account: Account | None = None) -> None:
        self.folder = folder
        self.port = port
        self.account = account
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def prepare(self) -> None:
        """Create the files that the command needs; called before every start."""

    @abstractmethod
    def command(self) -> tuple[str, ...]:
        """Return the command that serves in the foreground."""

    @abstractmethod
    def accepts(self) -> bool:
        """Return whether the server accepts work now (not while it starts or recovers)."""

    @property
    def log(self) -> Path:
        """The log of a server that ``start`` started."""
        return self.folder / "server.log"

    @property
    def pid(self) -> int | None:
        """Process number of the server that ``start`` started, or None."""
        return self._process.pid if self._process else None

    def running(self) -> bool:
        """Return whether the server that ``start`` started still runs."""
        return self._process is not None and self._process.poll() is None

    def start(self, *, patience_seconds: float = 60) -> None:
        """Start the server and return when it accepts work; raises ``PartFailed`` with the end of its log."""
        self.prepare()
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                start_new_session=True,
                preexec_fn=tied_to_parent(self.stop_signal),
                **identity(self.account),
            )
        deadline = time.monotonic() + patience_seconds
        while not self.accepts():
            if not self.running() or time.monotonic() > deadline:
                self.kill()
                raise PartFailed(self.name, "it did not accept work in time", self.log, last_lines(self.log, 12))
            time.sleep(0.02)

    def stop(self, *, patience_seconds: float = 20) -> None:
        """Stop the server after it has written its data."""
        self._end(self.stop_signal, patience_seconds)

    def kill(self) -> None:
        """Kill the server as ``kill -9`` does; the next start recovers."""
        self._end(signal.SIGKILL, 20)

    def restart(self) -> None:
        """Stop the server, then start it on the same port."""
        self.stop()
        self.start()

    def _end(self, number: signal.Signals, patience_seconds: float) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
