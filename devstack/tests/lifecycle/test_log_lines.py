"""One request over all logs, and the last error of a part."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from castor_devstack.errors import DevstackError
from castor_devstack.lifecycle.log_lines import last_error, lines_of_request
from castor_devstack.lifecycle.status import as_table
from castor_devstack.supervision.state_folder import StateFolder

REQUEST = "7848b016-096a-48e5-adb1-84282ef364dd"
TRACEBACK = 'Traceback (most recent call last):\n  File "a.py", line 1, in f\nValueError: broken\n'


@pytest.fixture
def state_folder(tmp_path: Path) -> StateFolder:
    """A state folder with the logs of two services and the ingress, written at different times."""
    logs = tmp_path / "logs"
    logs.mkdir()
    common = {"request_id": REQUEST, "level": "info"}
    rag = [
        {**common, "event": "request", "time": "2026-05-30T00:24:15.300Z", "status": 500},
        {**common, "event": "unhandled_error", "time": "2026-05-30T00:24:15.200Z", "level": "error",
         "exception": TRACEBACK},
        {"event": "request", "time": "2026-05-30T00:24:14.000Z", "level": "info", "request_id": "another-one"},
    ]  # fmt: skip
    openai = [{**common, "event": "request", "time": "2026-05-30T00:24:15.100Z", "status": 200}]
    ingress = [{"level": "info", "ts": 1780100655.4, "msg": "handled request", "request_id": REQUEST, "status": 500}]
    (logs / "rag-service.log").write_text("not JSON\n" + "\n".join(map(json.dumps, rag)) + "\n")
    (logs / "openai-service.log").write_text(json.dumps(openai[0]) + "\n")
    (logs / "ingress.log").write_text(json.dumps(ingress[0]) + "\n")
    return StateFolder(tmp_path)


def test_a_request_is_followed_over_all_parts(state_folder: StateFolder) -> None:
    """Lines come in the order of time, whatever log they stand in; a traceback is printed line by line."""
    lines = lines_of_request(state_folder, REQUEST)
    assert [(line.part, line.event) for line in lines] == [
        ("openai-service", "request"),
        ("rag-service", "unhandled_error"),
        ("rag-service", "request"),
        ("ingress", "handled request"),
    ]
    assert lines[1].text().splitlines()[1:] == [f"    {line}" for line in TRACEBACK.splitlines()]
    assert lines[0].text() == "00:24:15.100 openai-service     info    request            status=200"
    with pytest.raises(DevstackError, match="X-Request-ID"):
        lines_of_request(state_folder, "unknown-request")


def test_the_last_error_of_a_part_is_found(state_folder: StateFolder) -> None:
    """The last error of a log is named, whatever came after it; a log without one, or no log, has none."""
    error = last_error(state_folder.log("rag-service"))
    assert error is not None
    assert (error.event, error.exception) == ("unhandled_error", TRACEBACK)
    assert last_error(state_folder.log("openai-service")) is None
    assert last_error(state_folder.log("nothing")) is None


def table_of(**changed: Any) -> list[str]:
    """Return the lines of the table of one service."""
    service = {"ready": False, "pid": None, "api": None, "management": None, "last_error": None, **changed}
    facts = ("phase", "ingress", "ca", "postgres", "postgres_data", "valkey", "home")
    return as_table({"services": {"rag-service": service}, **dict.fromkeys(facts)}).splitlines()


def test_status_names_the_last_error() -> None:
    """The table ends with the last error of each service that had one."""
    assert table_of(last_error="00:24 unhandled_error")[-1] == "last error of rag-service: 00:24 unhandled_error"


@pytest.mark.parametrize(
    ("changed", "said"),
    [({}, "no"), ({"ready": True}, "stub"), ({"ready": True, "management": "http://127.0.0.1:1"}, "yes")],
)
def test_status_tells_stubs_apart(changed: dict[str, Any], said: str) -> None:
    """A stub that answers is called so, not ready as a service is."""
    assert table_of(**changed)[1].split()[1] == said
