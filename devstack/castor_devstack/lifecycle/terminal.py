"""Lines for the terminal: of this process, and of the one that asked for a start in the background."""

from __future__ import annotations

import contextlib
import os


def print_line(line: str) -> None:
    """Print one line at once; a reader that has gone away is no error."""
    with contextlib.suppress(BrokenPipeError):
        print(line, flush=True)


class ProgressPipe:
    """Prints lines and repeats them, until the stack is ready, to the process at the other end of a pipe."""

    def __init__(self, descriptor: int) -> None:
        # Child processes must not inherit it: the reader waits until every copy is closed.
        os.set_inheritable(descriptor, False)
        self._pipe = os.fdopen(descriptor, "w", buffering=1)

    def print_line(self, line: str) -> None:
        """Write one line."""
        print_line(line)
        with contextlib.suppress(OSError, ValueError):
            self._pipe.write(line + "\n")

    def close(self) -> None:
        """Close the pipe, which tells the reader that the start is over."""
        with contextlib.suppress(OSError):
            self._pipe.close()
