"""Work in a process of its own: what it is given, what it may take, and that it is ended."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from castor_chassis import ChildLate, ChildLost, ChildProcess
from castor_chassis.testing import importable, until

SOURCE = """
import json, os, subprocess, sys, time

def counting():
    asked = 0
    def answer(question):
        nonlocal asked
        asked += 1
        print("a library prints")
        yield b""
        yield question
        yield str(asked).encode()
    return answer

def being():
    return lambda _: [json.dumps([dict(os.environ), sys.path, "castor_chassis" in sys.modules]).encode()]

def begetting():
    return lambda _: [str(subprocess.Popen(["sleep", "600"]).pid).encode()]

def hostile():
    def answer(question):
        yield b"first"
        eval(question)
    return answer

def ahead():
    def answer(question):
        for number in range(60):
            yield bytes(500_000)
    return answer

def broken():
    raise ValueError
"""
Make = Callable[..., ChildProcess]


@pytest.fixture
async def child(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Make]:
    """Return ``child(name, **limits)``: a process that answers with that function of ``SOURCE``."""
    module = importable(monkeypatch, tmp_path, SOURCE)
    made = []

    def make(name: str, seconds: float = 60, memory_mb: int = 256, **more: Any) -> ChildProcess:
        made.append(ChildProcess(getattr(module, name), seconds=seconds, memory_mb=memory_mb, **more))
        return made[-1]

    yield make
    for each in made:
        await each.close()


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody asked about does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


async def test_one_process_answers_in_order_whatever_is_printed(child: Make) -> None:
    """Empty questions and parts are fine, long ones as well; prints of a library are no answers."""
    process = child("counting")
    for number, question in enumerate((b"", "señal".encode(), b"x" * 9_000_000), 1):
        assert await process.ask(question) == question + str(number).encode()


async def test_it_inherits_the_import_path_and_nothing_else(child: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """No environment and nothing of the chassis, but it imports from wherever its parent does."""
    monkeypatch.setenv("DATABASE_URL", "secret")
    process = child("being")
    environment, path, knows_the_chassis = json.loads(await process.ask(b""))
    assert "DATABASE_URL" not in environment
    assert Path(f"/proc/{process.pid}/environ").read_bytes() == b""
    assert [Path(each) for each in path] == [Path(each) for each in __import__("sys").path]
    assert not knows_the_chassis


async def test_it_reads_the_files_that_it_is_passed(child: Make, tmp_path: Path) -> None:
    """An open file has the same number there; others are closed."""
    (tmp_path / "passed").write_text("abierto")
    with (tmp_path / "passed").open() as passed, (tmp_path / "passed").open() as kept:
        process = child("hostile", pass_fds=(passed.fileno(),))
        show = f"sys.stderr.write(os.read({passed.fileno()}, 9).decode()) == 7 or sys.exit(1)"
        assert await process.ask(show.encode()) == b"first"
        with pytest.raises(ChildLost):
            await process.ask(f"os.fstat({kept.fileno()})".encode())


@pytest.mark.parametrize(
    "end", ["os.abort()", "sys.exit(0)", "bytearray(4 << 30)", "1 / 0", "os.write(1, b'x' * 9) / 0"]
)
async def test_what_ends_it_is_an_error_and_the_next_question_starts_another(child: Make, end: str) -> None:
    """A crash, an exit, too much memory and an exception are told alike."""
    process = child("hostile")
    with pytest.raises(ChildLost, match="has ended"):
        await process.ask(end.encode())
    assert process.pid is None
    assert await process.ask(b"None") == b"first"


async def test_a_function_that_does_not_load_is_an_error(child: Make) -> None:
    """Starting says so."""
    with pytest.raises(ChildLost):
        await child("broken").start()


async def test_one_that_takes_too_long_is_killed_with_its_children(child: Make) -> None:
    """Its own limit of CPU does not have to be reached: it may sleep."""
    parent = child("begetting")
    grandchild = int(await parent.ask(b""))
    assert is_alive(grandchild)
    await parent.close()
    await until(lambda: asyncio.sleep(0, not is_alive(grandchild)))
    process = child("hostile", seconds=2)
    await process.start()
    pid = process.pid
    with pytest.raises(ChildLate, match="longer than 2 s"):
        await process.ask(b"time.sleep(600)")
    assert not is_alive(pid or 0)


async def test_an_orphan_ends_by_its_own_limit(child: Make, tmp_path: Path) -> None:
    """Where nobody kills it any more, its limit of CPU does; several questions do not add up."""
    process = child("hostile", seconds=60)
    note = f"open({str(tmp_path / 'limit')!r}, 'w').write(str(__import__('resource').getrlimit(0)[0]))"
    for _ in range(2):
        await process.ask(note.encode())
        assert 60 < int((tmp_path / "limit").read_text()) < 90


async def test_whatever_breaks_an_answer_off_ends_the_process(child: Make) -> None:
    """Rests of an answer are never read as the next one: a reader that stops, or is cancelled, starts anew."""
    process = child("hostile")
    parts = process.parts(b"None")
    assert await anext(parts) == b"first"
    pid = process.pid
    assert pid
    await parts.aclose()  # type: ignore[attr-defined]
    assert not is_alive(pid)
    asked = asyncio.create_task(process.ask(b"time.sleep(600)"))
    await until(lambda: asyncio.sleep(0, process.pid is not None))
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert process.pid is None
    assert await process.ask(b"None") == b"first"


async def test_an_answer_that_is_broken_off_while_the_process_is_ahead(child: Make) -> None:
    """More than the buffer holds is waiting: the process ends all the same, and answers again."""
    process = child("ahead")
    parts = process.parts(b"")
    assert len(await anext(parts)) == 500_000
    pipe = process._running.stdout
    await until(lambda: asyncio.sleep(0, pipe._paused))  # type: ignore[union-attr]
    async with asyncio.timeout(30):
        await parts.aclose()  # type: ignore[attr-defined]
    assert process.pid is None
    assert len(await process.ask(b"")) == 30_000_000


async def test_a_process_that_was_killed_is_told_and_not_replaced_in_silence(child: Make) -> None:
    """What it had been told before is lost with it, so its user must hear of it."""
    process = child("counting")
    assert await process.ask(b"") == b"1"
    os.kill(process.pid or 0, signal.SIGKILL)
    await until(lambda: asyncio.sleep(0, not is_alive(process.pid or 0)))
    with pytest.raises(ChildLost):
        await process.ask(b"")
    assert await process.ask(b"") == b"1"


async def test_a_part_longer_than_its_memory_is_a_lie(child: Make) -> None:
    """What its user would have to keep is bounded as well."""
    lie = "[os.write(fd, b'\\xff' * 4) for fd in range(3, 9) if os.path.exists(f'/proc/self/fd/{fd}')]"
    with pytest.raises(ChildLost, match="more than it may hold"):
        await child("hostile").ask(lie.encode())


async def test_one_that_is_closed_under_way_says_so(child: Make) -> None:
    """Whoever waits for an answer at the end of the service is told, and does not wait on."""
    process = child("hostile")
    await process.start()
    asked = asyncio.create_task(process.ask(b"time.sleep(600)"))
    await asyncio.sleep(0)
    await process.close()
    with pytest.raises(ChildLost):
        await asked
