"""The log of a part, as it is followed."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from castor_devstack.errors import DevstackError
from castor_devstack.lifecycle.logs import follow_log


def test_a_log_is_followed_over_truncation(tmp_path: Path) -> None:
    """The last lines come first, then whole new lines as they are written, also after the log was emptied."""
    log = tmp_path / "x.log"
    log.write_text("one\ntwo\n")
    seen: list[str] = []
    more = threading.Event()

    class Enough(Exception):
        pass

    def write(line: str) -> None:
        seen.append(line)
        more.set()
        if line == "four":
            raise Enough

    def append() -> None:
        more.wait(5)
        with log.open("a") as file:
            file.write("three\nha")
        while "three" not in seen:
            more.clear()
            more.wait(5)
        log.write_text("four\n")

    writer = threading.Thread(target=append)
    writer.start()
    with pytest.raises(Enough):
        follow_log(log, 1, follow=True, write=write)
    writer.join()
    assert seen == ["two", "three", "four"]
    with pytest.raises(DevstackError, match="no log yet"):
        follow_log(tmp_path / "none.log", 1, follow=False, write=write)
