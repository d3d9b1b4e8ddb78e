"""Password hashes (argon2id), made off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from auth_service.crypto.composition import composed
from auth_service.crypto.legacy_hashes import is_legacy, matches_legacy
from auth_service.crypto.password_judge import PasswordJudge
from auth_service.errors import WeakPassword
from auth_service.metrics import PASSWORD_QUEUE
from castor_chassis import Overloaded

T = TypeVar("T")


class Passwords:
    """Judges passwords in a process, and hashes and compares them on a few threads of their own.

    Its methods raise ``Overloaded`` once ``queue`` passwords are being hashed or waiting.
    """

    def __init__(self, memory_kib: int, passes: int, threads: int, queue: int, judge: PasswordJudge) -> None:
        self._judge = judge
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._queue = queue
        self._pending = 0
        self._dummy_hash = self._hasher.hash("the password of no account")

    async def new_hash(self, password: str, email: str, names: Iterable[str | None]) -> str:
        """Return the hash of a password that an account is to have; raises ``WeakPassword`` with the reason.

        ``names`` are those of the account's owner.
        """
        reason = await self._judge.why_weak(composed(password), email, *(name for name in names if name))
        if reason is not None:
            raise WeakPassword(reason=reason)
        return await self.hash(password)

    async def hash(self, password: str) -> str:
        """Return the argon2id hash, with its parameters and salt (PHC string)."""
        return await self._run(self._hasher.hash, composed(password))

    async def matches(self, stored: str | None, password: str) -> bool:
        """Return whether ``stored`` is a hash of ``password``; None, or the mark of a
        voided password, takes the same time and never matches.

        Hashes made before passwords were composed are of the characters as they were typed, so these count as well.
        """
        known = stored is not None and (is_legacy(stored) or stored.startswith("$argon2"))
        against = stored if stored is not None and known else self._dummy_hash
        alike = False
        for form in dict.fromkeys((composed(password), password)):
            alike = await self._run(self._compare, against, form) or alike
        return alike and known

    def outdated(self, stored: str) -> bool:
        """Return whether ``stored`` was made with other parameters than those of today."""
        return is_legacy(stored) or self._hasher.check_needs_rehash(stored)

    async def close(self) -> None:
        """Stop the threads and the process."""
        await self._judge.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _compare(self, stored: str, password: str) -> bool:
        if is_legacy(stored):
            return matches_legacy(stored, password)
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, function: Callable[..., T], *args: str) -> T:
        if self._pending >= self._queue:
            raise Overloaded(limit=self._queue, retry_after_seconds=1)
        self._pending += 1
        PASSWORD_QUEUE.set(self._pending)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, function, *args)
        finally:
            self._pending -= 1
            PASSWORD_QUEUE.set(self._pending)
