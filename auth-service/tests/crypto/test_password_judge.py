"""New passwords are judged in a process that can be ended."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from auth_service.crypto.password_judge import PasswordJudge
from castor_chassis import Overloaded
from castor_chassis.testing import importable

pytestmark = pytest.mark.asyncio(loop_scope="module")
SLOW_ONCE = """
import pathlib, time
mark = pathlib.Path(__file__ + ".mark")
def answering():
    def answer(question):
        if not mark.exists():
            mark.touch()
            time.sleep(600)
        return [b"null"]
    return answer
"""


async def test_it_says_what_the_policy_says() -> None:
    """A common password is refused with its reason, another is accepted; one process answers both."""
    judge = PasswordJudge(30, 10)
    try:
        reasons = [await judge.why_weak(password, "ana@example.com") for password in ("Manchester1986", "tR7#kkq0Zp")]
        assert "most common" in (reasons[0] or "")
        assert reasons[1] is None
    finally:
        await judge.close()


async def test_an_estimate_that_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its caller gets 429, its process is killed, and the next password is judged by another process."""
    judge = PasswordJudge(2, 10, importable(monkeypatch, tmp_path, SLOW_ONCE).answering)
    try:
        with pytest.raises(Overloaded):
            await judge.why_weak("a", "b")
        assert await judge.why_weak("c", "d") is None
    finally:
        await judge.close()


async def test_a_caller_who_leaves_does_not_shift_the_answers() -> None:
    """After a question is cancelled the next one gets its own answer."""
    judge = PasswordJudge(30, 10)
    try:
        asked = asyncio.create_task(judge.why_weak("Manchester1986", "ana@example.com"))
        await asyncio.sleep(0.01)
        asked.cancel()
        assert await judge.why_weak("tR7#kkq0Zp", "ana@example.com") is None
    finally:
        await judge.close()


async def test_more_than_the_queue_is_refused_at_once() -> None:
    """Waiting questions are bounded."""
    judge = PasswordJudge(30, 2)
    try:
        asked = [judge.why_weak("tR7#kkq0Zp", "ana@example.com") for _ in range(5)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(answer) for answer in answers] == [type(None)] * 2 + [Overloaded] * 3
    finally:
        await judge.close()
