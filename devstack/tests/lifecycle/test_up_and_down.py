"""The whole way up and down, with real PostgreSQL, Valkey, certificates and Caddy, and two tiny services."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from castor_devstack.errors import AlreadyRunning, DevstackError
from castor_devstack.lifecycle.background import ensure_running, launch_detached
from castor_devstack.lifecycle.down import stop_stack
from castor_devstack.lifecycle.restart import restart_service
from castor_devstack.lifecycle.status import all_ready, status
from castor_devstack.stack.caddy import Ingress, Route
from castor_devstack.stack.pki import Leaf
from castor_devstack.stack.services import service_named
from castor_devstack.supervision.pids import marked
from castor_devstack.supervision.state import State, is_locked
from castor_devstack.supervision.state_folder import StateFolder
from castor_devstack.testing import scratch_folder

PROGRAM = (sys.executable, str(Path(__file__).parents[1] / "tiny" / "tiny_stack.py"))
SERVICES = tuple(replace(service_named(name), package="tiny_service") for name in ("auth", "sentiment"))


def ignore(_line: str) -> None:
    """Print nothing."""


@pytest.fixture(scope="module")
def state_folder(test_account: Any) -> Iterator[StateFolder]:
    """A stack that is ready; whatever a test did to it, nothing of it remains."""
    with scratch_folder(test_account) as folder:
        state_folder = StateFolder(folder / "state")
        launch_detached(state_folder, ignore, PROGRAM)
        try:
            yield state_folder
        finally:
            stop_stack(state_folder, ignore)


def ask(
    state_folder: StateFolder, path: str, *, headers: dict[str, str] | None = None, body: bytes | None = None
) -> Any:
    """Return (status, headers, JSON) of a request through the ingress."""
    context = ssl.create_default_context(cafile=str(state_folder.authority_file))
    request = urllib.request.Request(State.read(state_folder).facts["ingress"] + path, body, headers or {})
    try:
        with urllib.request.urlopen(request, timeout=10, context=context) as answer:
            return answer.status, answer.headers, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, error.headers, json.load(error)


def eventually(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)


def pid_of(state_folder: StateFolder, part: str) -> int:
    """Return the recorded process of a part."""
    return State.read(state_folder).parts[part].number


def ready_again(state_folder: StateFolder, part: str, before: int) -> bool:
    """Tell whether a part runs as a new process and everything is ready."""
    return pid_of(state_folder, part) != before and all_ready(status(state_folder, SERVICES))


def test_one_service_restarts_and_the_others_run_on(state_folder: StateFolder) -> None:
    """After `castor restart` the service is a new process and ready, another is the same process."""
    before, other = pid_of(state_folder, "sentiment-service"), pid_of(state_folder, "auth-service")
    said: list[str] = []
    restart_service(state_folder, "sentiment-service", said.append)
    assert ready_again(state_folder, "sentiment-service", before)
    assert pid_of(state_folder, "auth-service") == other
    assert said[0].startswith("sentiment-service is ready again")


def test_services_see_the_ingress_as_their_client(state_folder: StateFolder) -> None:
    """A request reaches its service over mTLS, with the identity of the ingress and the caller's address."""
    code, _, seen = ask(state_folder, "/v1/sentiment/analyze?x=1", body=b"a" * 300_000)
    assert code == 200
    assert seen["peer"] == ["spiffe://castor/ingress"]
    assert (seen["path"], seen["bytes"]) == ("/v1/sentiment/analyze?x=1", 300_000)
    assert seen["headers"]["x-forwarded-for"] in ("127.0.0.1", "::1")


@pytest.mark.parametrize(
    ("path", "coding"), [("sentiment/analyze", "gzip"), ("auth/me", None), ("sentiment/analyze?short", None)]
)
def test_json_is_compressed_where_nothing_secret_is_said(
    state_folder: StateFolder, path: str, coding: str | None
) -> None:
    """A long answer in JSON comes compressed to whoever takes it; a short one, and those of auth-service, never."""
    context = ssl.create_default_context(cafile=str(state_folder.authority_file))
    headers = {"Accept-Encoding": "gzip", "X-Long": "short" if "short" in path else "a" * 4000}
    url = f"{State.read(state_folder).facts['ingress']}/v1/{path}"
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10, context=context) as answer:
        body = answer.read()
    assert answer.headers["Content-Encoding"] == coding
    assert json.loads(gzip.decompress(body) if coding else body)["headers"]["x-long"] == headers["X-Long"]


@pytest.mark.parametrize(("asked", "arrives"), [("2", "1000"), ("0009", "1000"), ("", "1000"), ("2500", "2500")])
def test_a_stranger_sets_no_deadline_below_a_second(state_folder: StateFolder, asked: str, arrives: str) -> None:
    """The ingress raises a deadline below one second to one second, and passes on any other."""
    _, _, seen = ask(state_folder, "/v1/sentiment/analyze", headers={"X-Request-Timeout-Ms": asked})
    assert seen["headers"]["x-request-timeout-ms"] == arrives


def test_only_uploads_pass_before_they_are_complete(state_folder: StateFolder) -> None:
    """Every capability has its bodies buffered by the ingress, except the paths that take files."""
    routes = (Route("auth", "auth-service", "a:1"), Route("twitter", "twitter-service", "t:1", ("imports",)))
    leaf = Leaf(Path("c"), Path("k"))
    text = Ingress(Path("f"), 1, leaf, leaf, Path("ca"), routes).configuration()
    handles = dict(re.findall(r"handle @(\w+) \{((?:(?!handle @).)*?)transport http", text, re.DOTALL))
    assert {name: "request_buffers 2MB" in handle for name, handle in handles.items()} == {
        "auth": True, "twitter_uploads": False, "twitter": True,
    }  # fmt: skip
    assert text.index("handle @twitter_uploads") < text.index("handle @twitter {")
    assert "request_buffers 2MB" in (state_folder.folder("ingress") / "Caddyfile").read_text()


def test_the_old_prefix_is_an_alias(state_folder: StateFolder) -> None:
    """What is asked under /api/v1 arrives as /v1 at the same service."""
    _, _, under_alias = ask(state_folder, "/api/v1/auth/me")
    _, _, direct = ask(state_folder, "/v1/auth/me")
    assert under_alias["path"] == direct["path"] == "/v1/auth/me"
    assert under_alias["service"] == direct["service"]


@pytest.mark.parametrize("name", ["openid-configuration", "jwks.json"])
def test_well_known_paths_lead_to_auth_service(state_folder: StateFolder, name: str) -> None:
    """What clients of OpenID Connect begin with; nothing else under /.well-known/ is served."""
    _, _, seen = ask(state_folder, f"/.well-known/{name}")
    _, _, of_auth = ask(state_folder, "/v1/auth/me")
    assert (seen["service"], seen["path"]) == (of_auth["service"], f"/.well-known/{name}")
    assert ask(state_folder, "/.well-known/security.txt")[0] == 404


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/assets/nothing.js",
        "/internal/user/1",
        "/v1/auth/../../internal/x",
        "/v1/authx",
        "/metrics",
        "/v2/auth",
        "/v1/auth/token",
        "/api/v1/auth//token/",
    ],
)
def test_only_public_paths_are_served(state_folder: StateFolder, path: str) -> None:
    """Whatever is not a capability answers 404 in our envelope and reaches no service."""
    code, headers, envelope = ask(state_folder, path)
    assert code == 404
    assert envelope["ok"] is False
    assert envelope["code"] == "not_found"
    assert envelope["request_id"] == headers["X-Request-ID"]
    assert len(headers["X-Request-ID"]) >= 32


def test_a_request_id_is_kept_or_minted(state_folder: StateFolder) -> None:
    """A good request id passes through, a missing or dangerous one is replaced; the ingress logs it with the trace."""
    _, _, kept = ask(state_folder, "/v1/auth/me", headers={"X-Request-ID": "campaign-2026-11"})
    _, _, minted = ask(state_folder, "/v1/auth/me")
    _, _, replaced = ask(state_folder, "/v1/auth/me", headers={"X-Request-ID": 'a"} evil {"b'})
    assert kept["headers"]["x-request-id"] == "campaign-2026-11"
    assert minted["headers"]["x-request-id"] != replaced["headers"]["x-request-id"]
    assert "evil" not in replaced["headers"]["x-request-id"]
    lines = [json.loads(line) for line in state_folder.log("ingress").read_text().splitlines()]
    line = next(line for line in lines if line.get("request_id") == "campaign-2026-11")
    assert line["traceparent"] == kept["headers"]["traceparent"]


def test_the_log_of_the_ingress_holds_no_credentials(state_folder: StateFolder) -> None:
    """Neither a token nor any other header reaches the access log."""
    ask(
        state_folder, "/v1/auth/me?seen=1", headers={"Authorization": "Bearer very-secret", "X-Api-Key": "other-secret"}
    )
    log = state_folder.log("ingress").read_text()
    assert "/v1/auth/me?seen=1" in log
    assert "very-secret" not in log
    assert "other-secret" not in log


def test_a_service_that_is_down_answers_503(state_folder: StateFolder) -> None:
    """A capability whose service does not listen answers 503 with Retry-After in our envelope."""
    code, headers, envelope = ask(state_folder, "/v1/sentiment/model")
    assert code == 200

    def is_refused() -> bool:
        # On a slow machine it may be back before anybody asks.
        nonlocal before, code, headers, envelope
        before = pid_of(state_folder, "sentiment-service")
        with suppress(ProcessLookupError):
            os.kill(before, signal.SIGKILL)
        code, headers, envelope = ask(state_folder, "/v1/sentiment/model")
        return bool(code == 503)

    before = 0
    eventually(is_refused)
    assert headers["Retry-After"] == "2"
    assert envelope["code"] == "unavailable"
    eventually(lambda: ready_again(state_folder, "sentiment-service", before))
    assert ask(state_folder, "/v1/sentiment/model")[0] == 200


def test_status_tells_where_everything_is(state_folder: StateFolder) -> None:
    """The report has the documented shape and its numbers are those of living processes."""
    report = status(state_folder, SERVICES)
    assert {"services", "ingress", "ca", "postgres", "valkey", "home"} <= report.keys()
    for name, service in report["services"].items():
        assert service["ready"] is True
        assert psutil.pid_exists(service["pid"])
        assert service["api"].startswith("https://127.0.0.1:")
        assert service["management"].startswith("http://127.0.0.1:")
        assert Path(service["log"]).name == f"{name}.log"


def test_a_second_start_is_refused(state_folder: StateFolder) -> None:
    """Starting twice from one state folder ends with a sentence that says what to do."""
    with pytest.raises(AlreadyRunning, match="castor down"):
        launch_detached(state_folder, ignore, PROGRAM)
    assert all_ready(status(state_folder, SERVICES))


def test_what_runs_is_used_as_it_is(state_folder: StateFolder) -> None:
    """A command that needs a running stack takes the one that is there."""
    before = State.read(state_folder)
    assert ensure_running(state_folder, ignore) == before


@pytest.mark.parametrize("part", ["valkey", "postgres", "ingress"])
def test_a_killed_part_comes_back(state_folder: StateFolder, part: str) -> None:
    """After kill -9 a part runs again as a new process, and the whole is ready without help."""
    before = pid_of(state_folder, part)
    os.kill(before, signal.SIGKILL)
    eventually(lambda: ready_again(state_folder, part, before))


def test_what_a_service_started_ends_with_it(state_folder: StateFolder) -> None:
    """A program that a service left behind does not outlive the service."""
    child = ask(state_folder, "/v1/auth/child")[2]["child"]
    assert psutil.pid_exists(child)
    os.kill(before := pid_of(state_folder, "auth-service"), signal.SIGKILL)
    eventually(lambda: not psutil.pid_exists(child))
    eventually(lambda: ready_again(state_folder, "auth-service", before))


def test_a_killed_supervisor_leaves_nothing_behind(state_folder: StateFolder) -> None:
    """After kill -9 of the supervisor all parts end by themselves, and the next start works with the same data."""
    secrets = state_folder.secrets_file.read_bytes()
    supervisor = State.read(state_folder).supervisor
    parts = State.read(state_folder).parts.values()
    assert supervisor is not None
    os.kill(supervisor.number, signal.SIGKILL)
    eventually(lambda: not any(pid.alive() for pid in parts))
    assert status(state_folder, SERVICES)["phase"] == "stopped"
    launch_detached(state_folder, ignore, PROGRAM)
    assert all_ready(status(state_folder, SERVICES))
    assert state_folder.secrets_file.read_bytes() == secrets


def test_down_ends_everything(state_folder: StateFolder) -> None:
    """After `down` no process of the stack is left, and a second `down` is content."""
    parts = list(State.read(state_folder).parts.values())
    said: list[str] = []
    stop_stack(state_folder, said.append)
    assert not any(pid.alive() for pid in parts)
    assert marked(state_folder.root) == []
    assert not is_locked(state_folder)
    stop_stack(state_folder, said.append)
    assert said[-1] == "CASTOR is not running."


def test_a_failing_part_is_named_with_its_last_words(
    state_folder: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a service does not start, the start says which part, what it wrote and where the log is; all others end."""
    stop_stack(state_folder, ignore)
    monkeypatch.setenv("TINY_BROKEN", "1")
    said: list[str] = []
    with pytest.raises(DevstackError, match="did not start"):
        launch_detached(state_folder, said.append, PROGRAM)
    text = "\n".join(said)
    assert "-service did not start: it ended with exit code 1" in text
    assert "tiny_service is broken, as it was told" in text
    assert str(state_folder.root / "logs") in text
    assert marked(state_folder.root) == []
