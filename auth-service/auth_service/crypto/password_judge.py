"""Judges new passwords in a process of its own.

The estimate is Python code that holds the interpreter's lock: on a thread it would delay every login of the service.
A process that takes too long is ended, and the next password starts another.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import structlog

from auth_service.crypto.password_policy import answering
from castor_chassis import ChildLost, ChildProcess, Overloaded
from castor_chassis.background.child_loop import Answer

log = structlog.get_logger("castor.auth.passwords")
_MEMORY_MB = 256


class PasswordJudge:
    """Asks the process, one password at a time; at most ``queue`` wait."""

    def __init__(self, seconds: float, queue: int, policy: Callable[[], Answer] = answering) -> None:
        self._seconds = seconds
        self._queue = queue
        self._process = ChildProcess(policy, seconds=seconds, memory_mb=_MEMORY_MB)
        self._pending = 0
        self._turn = asyncio.Lock()

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
            answer: str | None = json.loads(await self._process.ask(question.encode()))
        except ChildLost as error:
            log.warning("password_judge_ended", reason=type(error).__name__, seconds=self._seconds)
            raise Overloaded(limit=self._queue, retry_after_seconds=1) from error
        return answer

    async def close(self) -> None:
        """End the process."""
        await self._process.close()
