"""What a ``ChildProcess`` runs: answers the questions of its standard input until that ends.

Run by its path and made of the standard library, so that a child loads nothing of the chassis unless its function does.
A question is its length in four bytes and its bytes; an answer is any number of such parts and a length of zero.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterable
from typing import IO

LENGTH_BYTES = 4
Answer = Callable[[bytes], Iterable[bytes]]


def main(path: str, module: str, name: str, memory_mb: str, seconds: str) -> None:
    """Answer with what the function ``name`` of ``module`` returns, found by ``path``, a JSON list."""
    resource.setrlimit(resource.RLIMIT_DATA, (int(memory_mb) << 20,) * 2)
    sys.path[:] = json.loads(path)
    # What a library prints is no answer.
    source, target = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    answer: Answer = getattr(importlib.import_module(module), name)()
    _write(target, b"")
    while length := source.read(LENGTH_BYTES):
        question = source.read(int.from_bytes(length, "big"))
        _allow_cpu(int(seconds))
        for part in answer(question):
            if part:
                _write(target, part)
                _allow_cpu(int(seconds))
        _write(target, b"")


def _write(target: IO[bytes], part: bytes) -> None:
    target.write(len(part).to_bytes(LENGTH_BYTES, "big"))
    target.write(part)
    target.flush()


def _allow_cpu(seconds: int) -> None:
    # A limit of its own, for the case that whoever started it is not there any more.
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    wanted = int(time.process_time()) + seconds + 2
    resource.setrlimit(resource.RLIMIT_CPU, (wanted if most < 0 else min(wanted, most), most))


if __name__ == "__main__":
    main(*sys.argv[1:])
