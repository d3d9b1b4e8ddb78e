"""Work on input that nobody vouches for, in a process of its own, which is ended when it takes too much.

What parsers and estimates need is not linear in what they are given, and some of them are C: on a thread one input
could hold up the service for hours, and its memory would be that of the service.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from castor_chassis.background import child_loop
from castor_chassis.background.child_loop import LENGTH_BYTES, Answer

_BUFFER_BYTES = 1 << 22


class ChildLost(Exception):
    """The process has ended, or gave what is no answer."""


class ChildLate(ChildLost):
    """The process took longer than it may."""


class ChildProcess:
    """Asks a process one question at a time; it is started by the first one, and again after it was lost.

    ``answering`` is a function of a module: called in the process, it returns the function that answers there, which
    may remember earlier questions. ``seconds`` are for each part of an answer, in the first the start included;
    ``memory_mb`` bound the data of the process; ``pass_fds`` are open files that it may read. It inherits nothing else:
    no environment, since it has no use for the passwords in it, and no terminal, whose interrupts would reach it.
    After ``ChildLost`` it knows nothing of earlier questions.
    """

    def __init__(
        self, answering: Callable[[], Answer], *, seconds: float, memory_mb: int, pass_fds: Sequence[int] = ()
    ) -> None:
        self._function = (answering.__module__, answering.__qualname__)
        self._seconds = seconds
        self._memory_mb = memory_mb
        self._pass_fds = pass_fds
        self._process: Process | None = None
        self._reading = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """Id of the process, None while there is none."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start the process and wait until it takes questions; raises ``ChildLost``."""
        async with self._in_time():
            await self._start()

    async def ask(self, question: bytes) -> bytes:
        """Return the answer; raises ``ChildLost``, and ``ChildLate`` after ``seconds``.

        When it raises, or is cancelled, the process is ended: what it still says would be read as the next answer.
        """
        return b"".join([part async for part in self.parts(question)])

    async def parts(self, question: bytes) -> AsyncIterator[bytes]:
        """Yield the parts of an answer as they come; for the errors, and an answer that is not read, see ``ask``."""
        async with self._in_time():
            await self._start()
            await self._send(question)
            part = await self._receive()
        try:
            while part:
                yield part
                async with self._in_time():
                    part = await self._receive()
        finally:
            if part:
                await self.close()

    async def close(self) -> None:
        """End the process, and what it may have started."""
        process, self._process = self._process, None
        if process is not None:
            if process.returncode is None:
                with suppress(ProcessLookupError, PermissionError):  # the latter on macOS, of one that has just ended
                    os.killpg(process.pid, signal.SIGKILL)
            await asyncio.shield(self._wait(process))

    async def _wait(self, process: Process) -> None:
        # A reader with a full buffer stops reading and never sees the end of the pipe, for which ``wait`` waits.
        assert process.stdout
        async with self._reading:
            while await process.stdout.read(_BUFFER_BYTES):
                pass
        await process.wait()

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._seconds):
                yield
        except BaseException as error:
            await self.close()
            if isinstance(error, TimeoutError):
                raise ChildLate(f"the process takes longer than {self._seconds:g} s") from error
            if isinstance(error, OSError | EOFError):
                raise ChildLost(f"the process has ended: {error}") from error
            raise

    async def _start(self) -> None:
        if self._process is not None:
            return
        limits = (str(self._memory_mb), str(int(self._seconds)))
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", child_loop.__file__, json.dumps(sys.path), *self._function, *limits,
            stdin=PIPE, stdout=PIPE, limit=_BUFFER_BYTES, env={}, start_new_session=True, pass_fds=self._pass_fds,
        )  # fmt: skip
        await self._receive()

    async def _send(self, question: bytes) -> None:
        pipe = self._running.stdin
        assert pipe
        pipe.write(len(question).to_bytes(LENGTH_BYTES, "big"))
        pipe.write(question)
        await pipe.drain()

    async def _receive(self) -> bytes:
        pipe = self._running.stdout
        assert pipe
        async with self._reading:
            length = int.from_bytes(await pipe.readexactly(LENGTH_BYTES), "big")
            if length > self._memory_mb << 20:
                raise EOFError(f"a part of {length} bytes is more than it may hold")
            return await pipe.readexactly(length)

    @property
    def _running(self) -> Process:
        if self._process is None:
            raise EOFError("it was closed meanwhile")
        return self._process
