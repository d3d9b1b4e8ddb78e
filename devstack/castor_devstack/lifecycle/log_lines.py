"""Lines of the JSON logs: those of one request over all parts, and the last error of one part."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from castor_devstack.errors import DevstackError
from castor_devstack.supervision.atomic_files import last_lines
from castor_devstack.supervision.state_folder import StateFolder

_SEEN = frozenset({"time", "ts", "level", "event", "msg", "logger", "request_id", "trace_id", "traceID", "exception"})
_RECENT_LINES = 2000


@dataclass(frozen=True, order=True, slots=True)
class LogLine:
    """A line of a log, ordered by its time."""

    at: datetime
    part: str
    level: str
    event: str
    rest: str
    """The other fields, as ``name=value``."""
    exception: str | None = None

    def text(self) -> str:
        """Return the line for a terminal, its traceback as it would have been printed."""
        stamp = f"{self.at:%H:%M:%S}.{self.at.microsecond // 1000:03}"
        head = f"{stamp} {self.part:<18} {self.level:<7} {self.event:<18} {self.rest}".rstrip()
        return f"{head}\n{_indented(self.exception)}" if self.exception else head


def lines_of_request(state_folder: StateFolder, request_id: str) -> list[LogLine]:
    """Return what all parts logged of a request, in the order of time; raises ``DevstackError`` for nothing."""
    logs = sorted((state_folder.root / "logs").glob("*.log"))
    found = [line for log in logs for line in _of_request(log, request_id)]
    if not found:
        raise DevstackError(f"No log has the request {request_id}; its id is in the header X-Request-ID of the answer.")
    return sorted(found)


def last_error(log: Path) -> LogLine | None:
    """Return the last error among the recent lines of a log; None without one."""
    recent = reversed(last_lines(log, _RECENT_LINES))
    return next((line for line in _parsed(log.stem, recent) if line.level in ("error", "critical")), None)


def _of_request(log: Path, request_id: str) -> Iterator[LogLine]:
    with log.open(errors="replace") as file:
        yield from _parsed(log.stem, (line for line in file if request_id in line))


def _parsed(part: str, lines: Iterable[str]) -> Iterator[LogLine]:
    for line in lines:
        try:
            fields: Any = json.loads(line)
            yield _line(part, fields)
        except (ValueError, TypeError, KeyError, AttributeError):
            continue  # what a program printed before its logging began


def _line(part: str, fields: dict[str, Any]) -> LogLine:
    at = datetime.fromtimestamp(fields["ts"], UTC) if "ts" in fields else datetime.fromisoformat(fields["time"])
    rest = {name: value for name, value in fields.items() if name not in _SEEN and not isinstance(value, dict)}
    return LogLine(
        at,
        part,
        str(fields.get("level", "info")).lower(),
        str(fields.get("event") or fields.get("msg", "")),
        " ".join(f"{name}={value}" for name, value in rest.items() if value not in (None, "")),
        fields.get("exception"),
    )


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.rstrip().splitlines())
