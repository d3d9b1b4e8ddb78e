"""A part of the stack as a child process."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from castor_devstack.errors import PartFailed
from castor_devstack.supervision.atomic_files import bound_log, last_lines
from castor_devstack.supervision.os_user import Account, identity
from castor_devstack.supervision.pids import Pid, end_group

_PR_SET_PDEATHSIG = 1


async def _nothing() -> None:
    return None


async def _at_once() -> bool:
    return True


async def _no_answer() -> str:
    return "it does not answer"


@dataclass(frozen=True)
class Part:
    """A long-running program: its command, how to see that it is ready, how to stop it."""

    name: str
    command: tuple[str, ...]
    log: Path
    ready: Callable[[], Awaitable[bool]] = _at_once
    pending: Callable[[], Awaitable[str]] = _no_answer
    """Return what the part still waits for, as text."""
    environment: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    prepare: Callable[[], Awaitable[None]] = _nothing
    """Awaited before every start, restarts included."""
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    start_patience_seconds: float = 120
    stop_patience_seconds: float = 15


@dataclass(frozen=True)
class Step:
    """Work that is done once during the start."""

    name: str
    run: Callable[[], Awaitable[None]]
    needs: tuple[str, ...] = ()


def tied_to_parent(number: signal.Signals) -> Callable[[], None] | None:
    """Return a ``preexec_fn`` by which the kernel signals the child when its parent dies.

    "Parent" is the parent's thread here: a child that a short-lived thread started would end with that
    thread, so this returns None outside the main thread (and on systems other than Linux).
    """
    if sys.platform != "linux" or threading.current_thread() is not threading.main_thread():
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:
            os._exit(1)

    return tie


async def spawn(part: Part) -> asyncio.subprocess.Process:
    """Start the program of a part in its own session, with its log as output.

    Raises ``PartFailed`` when it cannot be started at all.
    """
    bound_log(part.log)
    descriptor = os.open(part.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return await asyncio.create_subprocess_exec(
            *part.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            env=dict(part.environment),
            # PostgreSQL's own user may have no access to our folder.
            cwd="/" if part.account else part.log.parent,
            start_new_session=True,
            preexec_fn=tied_to_parent(part.stop_signal),
            **identity(part.account),
        )
    except OSError as error:
        raise PartFailed(part.name, str(error), part.log, last_lines(part.log, 12)) from error
    finally:
        os.close(descriptor)


class Running:
    """A started part."""

    def __init__(self, part: Part, process: asyncio.subprocess.Process) -> None:
        self.part = part
        self._process = process
        self.pid = Pid.of(process.pid) or Pid(process.pid, 0)

    async def until_ready(self) -> None:
        """Return when the part is ready; raises ``PartFailed`` when it ends or takes too long."""
        ended = asyncio.ensure_future(self._process.wait())
        try:
            async with asyncio.timeout(self.part.start_patience_seconds):
                while not await _answers(self.part):
                    await asyncio.wait({ended}, timeout=0.1)
                    if ended.done():
                        raise self.failed(f"it ended with {ending(ended.result())}")
        except TimeoutError:
            limit = self.part.start_patience_seconds
            raise self.failed(f"it was not ready within {limit:g} s ({await self.part.pending()})") from None
        finally:
            ended.cancel()

    async def ended(self) -> int:
        """Wait until the part ends and return its exit code (negative: the signal)."""
        code = await self._process.wait()
        # Child processes of a service must not outlive it.
        end_group(self.pid.number, signal.SIGKILL)
        return code

    async def stop(self) -> None:
        """Stop the part; kill it when it does not end in time."""
        self.signal(self.part.stop_signal)
        try:
            await asyncio.wait_for(self.ended(), self.part.stop_patience_seconds)
        except TimeoutError:
            end_group(self.pid.number, signal.SIGKILL)
            await self.ended()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal if the part still runs."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    def failed(self, reason: str) -> PartFailed:
        """Return the error that names this part, the reason and its log."""
        return PartFailed(self.part.name, reason, self.part.log, last_lines(self.part.log, 12))


async def run_once(part: Part) -> None:
    """Run a program until it ends; raises ``PartFailed`` unless it exits with 0. Cancelling stops it."""
    running = Running(part, await spawn(part))
    try:
        code = await running.ended()
    except asyncio.CancelledError:
        await running.stop()
        raise
    if code != 0:
        raise running.failed(f"it ended with {ending(code)}")


def ending(code: int) -> str:
    """Return an exit code in words."""
    if code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return f"signal {signal.Signals(-code).name}"
    return f"signal {-code}"


async def _answers(part: Part) -> bool:
    try:
        return await part.ready()
    except (OSError, EOFError, ValueError):
        return False
