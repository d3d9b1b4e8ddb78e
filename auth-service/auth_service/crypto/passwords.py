"""Passwords: which are good enough, and their hashes off the event loop.

Policy after NIST SP 800-63B-4 section 3.1.1.2: length, lists of common ones and of words that belong to the context,
and an estimate of how soon it would be guessed; no rules of composition.
"""

from __future__ import annotations

import asyncio
import re
import string
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import resources
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from auth_service.crypto.legacy_hashes import is_legacy, matches_legacy
from auth_service.metrics import PASSWORD_QUEUE
from castor_chassis import Overloaded

MIN_CHARACTERS = 10
MAX_CHARACTERS = 256
CONTEXT_WORDS = ("castor", "elecciones", "electoral", "campaña", "campana", "candidato", "candidata", "colombia")
"""Words that belong to the product; docs/security/asvs.md names them (6.1.2)."""
_BESIDE_A_WORD = 8
_ESTIMATED = 72
_STRONG_ENOUGH = 3
_AROUND_A_WORD = string.digits + string.punctuation + " "
_ADVICE = "choose several unrelated words"
T = TypeVar("T")


@cache
def _common() -> frozenset[str]:
    # Imported late: the lists take megabytes, and whoever only exports the contract needs none.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    lines = (resources.files("auth_service.crypto") / "common_passwords.txt").read_text().splitlines()
    lists = (FREQUENCY_LISTS[name] for name in ("passwords", "female_names", "male_names"))
    return frozenset(line for line in lines if line and not line.startswith("#")).union(*lists)


def why_weak(password: str, email: str, *personal: str) -> str | None:
    """Return in one sentence why ``password`` will not do for the account, or None if it will.

    ``personal`` are names of its owner. Takes milliseconds: call it on a thread.
    """
    if len(password) < MIN_CHARACTERS:
        return f"The password is shorter than {MIN_CHARACTERS} characters; choose a longer one"
    plain = password.casefold()
    if len(set(plain)) == 1:
        return f"The password repeats one character; {_ADVICE}"
    if plain in _common() or plain.strip(_AROUND_A_WORD) in _common():
        return f"The password is among the most common ones; {_ADVICE}"
    if plain in (email.casefold(), email.casefold().partition("@")[0]):
        return f"The password is the e-mail address; {_ADVICE}"
    about = _words(email, *personal)
    for word in (*about, *CONTEXT_WORDS):
        if word in plain and len(plain.replace(word, "")) < _BESIDE_A_WORD:
            return f"The password is little more than '{word}', which anybody would try; {_ADVICE}"
    return _why_guessable(password, [*about, *CONTEXT_WORDS])


def _words(*texts: str) -> list[str]:
    found = {word for text in texts for word in re.split(r"[\W_]+", text.casefold())}
    return sorted(word for word in found if len(word) >= 4)


def _why_guessable(password: str, about: list[str]) -> str | None:
    from zxcvbn import zxcvbn

    found = zxcvbn(password[:_ESTIMATED], user_inputs=about)
    if found["score"] >= _STRONG_ENOUGH:
        return None
    warning = str(found["feedback"]["warning"]).rstrip(".")
    return f"The password is easy to guess{f' ({warning})' if warning else ''}; {_ADVICE}"


class Passwords:
    """Judges, hashes and compares passwords on a few threads of their own.

    Raises ``Overloaded`` once ``queue`` passwords are being hashed or waiting.
    """

    def __init__(self, memory_kib: int, passes: int, threads: int, queue: int) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._queue = queue
        self._pending = 0
        self._nobody = self._hasher.hash("the password of no account")

    async def why_weak(self, password: str, email: str, personal: Iterable[str | None]) -> str | None:
        """``why_weak`` on a thread."""
        return await self._run(why_weak, password, email, *(name for name in personal if name))

    async def hash(self, password: str) -> str:
        """Return the argon2id hash, its parameters and salt included (PHC string)."""
        return await self._run(self._hasher.hash, password)

    async def matches(self, stored: str | None, password: str) -> bool:
        """Return whether ``password`` is the one behind ``stored``; None costs the same time and never matches."""
        alike = await self._run(self._compare, stored or self._nobody, password)
        return alike and stored is not None

    def outdated(self, stored: str) -> bool:
        """Return whether ``stored`` was made with other parameters than those of today."""
        return is_legacy(stored) or self._hasher.check_needs_rehash(stored)

    def close(self) -> None:
        """Give the threads back."""
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
