"""Passwords: which are good enough, and argon2id off the event loop.

Policy after NIST SP 800-63B-4 section 3.1.1.2: length and a list of common ones, no composition rules.
"""

from __future__ import annotations

import asyncio
import string
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import resources
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from auth_service.metrics import PASSWORD_QUEUE
from castor_chassis import Overloaded

MIN_CHARACTERS = 10
MAX_CHARACTERS = 256
_AROUND_A_WORD = string.digits + string.punctuation + " "
T = TypeVar("T")


@cache
def _common() -> frozenset[str]:
    lines = (resources.files("auth_service") / "common_passwords.txt").read_text().splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def why_weak(password: str, email: str) -> str | None:
    """Return in one sentence why ``password`` will not do for the account ``email``, or None if it will."""
    if len(password) < MIN_CHARACTERS:
        return f"The password is shorter than {MIN_CHARACTERS} characters; choose a longer one"
    plain = password.casefold()
    if len(set(plain)) == 1:
        return "The password repeats one character; choose several unrelated words"
    if plain in _common() or plain.strip(_AROUND_A_WORD) in _common():
        return "The password is among the most common ones; choose several unrelated words"
    if plain in (email.casefold(), email.casefold().partition("@")[0]):
        return "The password is the e-mail address; choose several unrelated words"
    return None


class Passwords:
    """Hashes and compares passwords on a few threads of their own.

    Raises ``Overloaded`` once ``queue`` passwords are being hashed or waiting.
    """

    def __init__(self, memory_kib: int, passes: int, threads: int, queue: int) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._queue = queue
        self._pending = 0
        self._nobody = self._hasher.hash("the password of no account")

    async def hash(self, password: str) -> str:
        """Return the argon2id hash, its parameters and salt included (PHC string)."""
        return await self._run(self._hasher.hash, password)

    async def matches(self, stored: str | None, password: str) -> bool:
        """Return whether ``password`` is the one behind ``stored``; None costs the same time and never matches."""
        alike = await self._run(self._compare, stored or self._nobody, password)
        return alike and stored is not None

    def outdated(self, stored: str) -> bool:
        """Return whether ``stored`` was made with other parameters than those of today."""
        return self._hasher.check_needs_rehash(stored)

    def close(self) -> None:
        """Give the threads back."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _compare(self, stored: str, password: str) -> bool:
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
