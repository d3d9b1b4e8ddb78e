"""Parts of the whole system are killed; users see what docs/architecture.md says."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from castor_chassis.client.transport import httpx
from castor_devstack.testing_system import System

pytestmark = pytest.mark.timeout(300)


def until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait for ``condition``."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"did not happen within {seconds} s: {what}"
        time.sleep(0.2)


def kill(system: System, service: str) -> None:
    """Kill a service with SIGKILL, if it runs."""
    with suppress(ProcessLookupError):
        os.kill(system.status()["services"][service]["pid"], signal.SIGKILL)


def client_of(system: System) -> httpx.Client:
    """Return a client of the ingress with an administrator's token."""
    import ssl

    context = ssl.create_default_context(cafile=str(system.home / "pki" / "ca.pem"))
    headers = {"Authorization": f"Bearer {system.castor('token').stdout.strip()}"}
    url = system.status()["ingress"]
    return httpx.Client(base_url=url, verify=context, headers=headers, trust_env=False, timeout=60)


def progress(client: httpx.Client) -> dict[str, Any]:
    """Return how far scoring is."""
    data: dict[str, Any] = client.get("/v1/twitter/scores/progress").json()["data"]
    return data


def opened(system: System) -> float:
    """Return how often twitter-service's breaker towards sentiment-service has opened."""
    url = system.status()["services"]["twitter-service"]["management"]
    metrics = httpx.get(f"{url}/metrics", trust_env=False).text.splitlines()
    series = 'castor_breaker_transitions_total{peer="sentiment-service",state="open"}'
    return sum(float(line.rsplit(" ", 1)[1]) for line in metrics if line.startswith(series))


def asked(client: httpx.Client, question: dict[str, str]) -> httpx.Response:
    """Ask rag-service."""
    return client.post("/v1/rag/query", json=question)


def test_sentiment_dies_during_an_import(system: System) -> None:
    """The import ends without error, the breaker opens, and every score arrives once the service is back."""
    start = time.time_ns()
    times = [f"2022-05-01T10:{n // 60 % 60:02}:{n % 60:02}Z" for n in range(1500)]
    rows = "".join(f"{start + n},outage_{n % 5},{at},qué buen día número {n}\n" for n, at in enumerate(times))
    file = ("id,username,created_at,text\n" + rows).encode()
    before = opened(system)
    with client_of(system) as client:
        kill(system, "sentiment-service")
        answer = client.post("/v1/twitter/imports", content=file, headers={"Content-Type": "text/csv"})
        assert answer.status_code == 201, answer.text
        assert answer.json()["data"]["accepted"] == 1500

        def has_opened() -> bool:
            if opened(system) > before:
                return True
            # It may have come back before so many calls had failed.
            kill(system, "sentiment-service")
            return False

        until(has_opened, 60, "the breaker opens")
        until(lambda: progress(client)["pending"] == 0, 120, "all scores arrive")
        state = progress(client)
        assert state["scored"] + state["unscorable"] == state["tweets"]
        assert state["unscorable"] == 0


@pytest.mark.parametrize("service", ["trending-service", "rag-service", "auth-service"])
def test_killed_services_come_back(system: System, service: str) -> None:
    """A part that is killed is started again, with another process, and is ready."""
    old = system.status()["services"][service]["pid"]
    kill(system, service)

    def is_back() -> bool:
        state = system.status()["services"][service]
        return bool(state["ready"]) and state["pid"] != old

    until(is_back, 60, f"{service} is back")


def test_openai_away_leaves_search_and_quotes(system: System) -> None:
    """Without openai-service rag still answers, and says what it did without."""
    process = system.status()["services"]["openai-service"]["pid"]
    question = {"question": "¿Qué se dice de los contratos de la represa?"}
    first = time.time_ns()
    rows = "".join(
        f"{first + n},represa_{n},2022-05-02T10:00:00Z,los contratos de la represa son un escándalo número {n}\n"
        for n in range(20)
    )
    file = ("id,username,created_at,text\n" + rows).encode()
    with client_of(system) as client:
        client.post("/v1/twitter/imports", content=file, headers={"Content-Type": "text/csv"}).raise_for_status()
        until(lambda: asked(client, question).json()["data"]["citations"] != [], 120, "the tweets are found")
        os.kill(process, signal.SIGSTOP)
        try:
            answer = asked(client, question)
        finally:
            os.kill(process, signal.SIGCONT)
        assert answer.status_code == 200, answer.text
        assert "llm" in answer.json()["meta"]["degraded"]
        assert "embeddings" in answer.json()["meta"]["degraded"]
