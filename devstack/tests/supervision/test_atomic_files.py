"""Files that are replaced whole, and logs that stay bounded."""

from __future__ import annotations

import threading
from pathlib import Path

from castor_devstack.supervision.atomic_files import bound_log, last_lines, write_atomic


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    """While a file is replaced again and again, every reading is one of the whole contents."""
    path = tmp_path / "file"
    contents = ["a" * 100_000, "b" * 50_000]
    write_atomic(path, contents[0])
    over = threading.Event()

    def rewrite() -> None:
        while not over.is_set():
            for content in contents:
                write_atomic(path, content)

    writer = threading.Thread(target=rewrite)
    writer.start()
    readings = {path.read_text() for _ in range(200)}
    over.set()
    writer.join()
    assert readings <= set(contents)
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_log_is_bounded_while_it_is_written(tmp_path: Path) -> None:
    """A log over the limit moves aside; a program that has it open goes on writing into the emptied file."""
    log = tmp_path / "x.log"
    with log.open("a") as writer:
        writer.write("old\n" * 100)
        writer.flush()
        bound_log(log, limit_bytes=100)
        writer.write("new\n")
    assert log.read_text() == "new\n"
    assert (tmp_path / "x.log.1").read_text() == "old\n" * 100
    assert last_lines(tmp_path / "x.log.1", 2) == ["old", "old"]
