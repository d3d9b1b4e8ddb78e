"""The errors that end a command."""

from __future__ import annotations

from pathlib import Path


class DevstackError(Exception):
    """An expected failure; the message is printed as it is. ``exit_code`` is 1 (failed) or 2 (bad input)."""

    def __init__(self, message: str, *, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class AlreadyRunning(DevstackError):
    """Another supervisor uses this state folder."""


class PartFailed(DevstackError):
    """A part did not start; the message ends with the last lines of its log and the log's path."""

    def __init__(self, part: str, reason: str, log: Path, lines: list[str]) -> None:
        said = "".join(f"    | {line[:300]}\n" for line in lines) or "    | (it wrote nothing)\n"
        super().__init__(f"{part} did not start: {reason}. Its last lines:\n{said}    The whole log: {log}")
        self.part = part
