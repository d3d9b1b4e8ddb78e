"""Who gets in where, and one id through all hops, on the whole system."""

from __future__ import annotations

import json
import ssl
import time
import uuid

import pytest

from castor_chassis.client.transport import httpx
from castor_devstack.testing_system import System

SERVICES = ("auth", "forecast", "openai", "rag", "sentiment", "trending", "twitter")


def context_of(system: System, name: str | None = None) -> ssl.SSLContext:
    """Return a client context that trusts the development authority, with the certificate ``name``."""
    context = ssl.create_default_context(cafile=str(system.home / "pki" / "ca.pem"))
    if name is not None:
        folder = system.home / "pki" / name / "current"
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


@pytest.mark.parametrize("service", SERVICES)
def test_api_port_refuses_clients_without_certificate(system: System, service: str) -> None:
    """No service answers on its API port without a client certificate; with one it does."""
    url = system.status()["services"][f"{service}-service"]["api"]
    with httpx.Client(verify=context_of(system), trust_env=False) as client:
        with pytest.raises((httpx.TransportError, ssl.SSLError)):
            client.get(f"{url}/v1/{service}/anything")
    with httpx.Client(verify=context_of(system, "twitter-service"), trust_env=False) as client:
        assert client.get(f"{url}/v1/{service}/anything").status_code == 404


@pytest.mark.parametrize("service", SERVICES)
def test_management_port_answers_live_ready_and_metrics(system: System, service: str) -> None:
    """Health and metrics are plain, and of this service."""
    url = system.status()["services"][f"{service}-service"]["management"]
    with httpx.Client(trust_env=False) as client:
        assert client.get(f"{url}/health/live").json()["service"] == f"{service}-service"
        assert client.get(f"{url}/health/ready").json()["status"] == "ready"
        assert "castor_http_request_duration_seconds" in client.get(f"{url}/metrics").text


def test_ingress_keeps_internal_paths_closed(system: System) -> None:
    """Internal paths do not exist from outside, under either prefix; the alias of public ones does."""
    ingress = system.status()["ingress"]
    with httpx.Client(base_url=ingress, verify=context_of(system), trust_env=False) as client:
        assert client.post("/internal/validate-token", json={"token": "x"}).status_code == 404
        assert client.post("/api/internal/validate-token", json={"token": "x"}).status_code == 404
        assert client.get("/api/v1/auth/jwks").json() == client.get("/v1/auth/jwks").json()
        assert client.get("/metrics").status_code == 404


def test_one_request_id_and_one_trace_through_all_hops(system: System) -> None:
    """An import's ids stand in the logs of the ingress, of twitter-service, and of sentiment-service that scored it."""
    request_id, trace = f"hops-{uuid.uuid4().hex}", uuid.uuid4().hex
    csv = f"id,username,created_at,text\n{time.time_ns()},hops,2022-05-01T10:00:00Z,todo va muy bien\n"
    headers = {
        "Authorization": f"Bearer {system.castor('token').stdout.strip()}",
        "Content-Type": "text/csv",
        "X-Request-ID": request_id,
        "traceparent": f"00-{trace}-00f067aa0ba902b7-01",
    }
    with httpx.Client(base_url=system.status()["ingress"], verify=context_of(system), trust_env=False) as client:
        answer = client.post("/v1/twitter/imports", content=csv.encode(), headers=headers)
        assert (answer.status_code, answer.headers["x-request-id"]) == (201, request_id)

    def lines(service: str) -> list[tuple[str, str]]:
        entries = [entry for entry in system.log(service) if entry.get("request_id") == request_id]
        return [(entry.get("route", ""), entry.get("trace_id", "")) for entry in entries if entry["event"] == "request"]

    end = time.monotonic() + 20
    while not lines("sentiment-service") and time.monotonic() < end:
        time.sleep(0.1)
    assert ("/v1/twitter/imports", trace) in lines("twitter-service")
    assert ("/v1/sentiment/batch", trace) in lines("sentiment-service")
    ingress = (system.home / "logs" / "ingress.log").read_text().splitlines()
    assert any(request_id in line and trace in line for line in ingress if line.startswith("{") and json.loads(line))


def test_no_log_holds_a_token(system: System) -> None:
    """Neither access tokens nor API keys nor passwords stand in any log."""
    token = system.castor("token").stdout.strip()
    secrets = json.loads((system.home / "secrets.json").read_text())
    password = secrets["admin"]
    for log in (system.home / "logs").glob("*.log"):
        text = log.read_text(errors="replace")
        assert token not in text, log
        assert token.split(".")[2] not in text, log
        assert password not in text, log
