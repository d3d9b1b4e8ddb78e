"""Judges new passwords in a process of its own.

The estimate is Python code that holds the interpreter's lock: on a thread it would delay every login of the service.
A process that takes too long is ended, and the next password starts another.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence

import structlog

from castor_chassis import Overloaded

log = structlog.get_logger("auth.passwords")
_MODULE = (sys.executable, "-m", "auth_service.crypto.password_policy")


class PasswordJudge:
    """Asks the process, one password at a time; at most ``queue`` wait."""

    def __init__(self, seconds: float, queue: int, command: Sequence[str] = _MODULE) -> None:
        self._seconds = seconds
        self._queue = queue
        self._command = command
        self._pending = 0
        self._turn = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None

    async def why_weak(self, password: str, email: str, *personal: str) -> str | None:
        """Return what the function ``why_weak`` returns; raises ``Overloaded`` when it takes too long."""
        if self._pending >= self._queue:
            raise Overloaded(limit=self._queue, retry_after_seconds=1)
        self._pending += 1
        try:
            async with self._turn:
                return await self._asked(json.dumps([password, email, *personal]))
        finally:
            self._pending -= 1

    async def _asked(self, question: str) -> str | None:
        try:
            async with asyncio.timeout(self._seconds):
                answer: str | None = json.loads(await self._answer(f"{question}\n".encode()))
                return answer
        except (TimeoutError, OSError, ValueError) as error:
            await self.close()
            log.warning("password_judge_ended", reason=type(error).__name__, seconds=self._seconds)
            raise Overloaded(limit=self._queue, retry_after_seconds=1) from error
        except asyncio.CancelledError:
            # The answer would be read as that to the next question.
            await asyncio.shield(self.close())
            raise

    async def _answer(self, question: bytes) -> bytes:
        if self._process is None or self._process.returncode is not None:
            pipe = asyncio.subprocess.PIPE
            self._process = await asyncio.create_subprocess_exec(*self._command, stdin=pipe, stdout=pipe)
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(question)
        await process.stdin.drain()
        return await process.stdout.readline()

    async def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()
