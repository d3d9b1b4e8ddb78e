"""What pages of other origins may send and read is one list in every ingress, and as long as the contracts need."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from chart_tools import ROOT, Helm, of_kind, one

from console_service import CADDY_ROUTES

ALLOWED = (
    "--set", "ingress.enabled=true,ingress.host=castor.example.org",
    "--set", "ingress.corsOrigins={https://a.example}",
)  # fmt: skip
NGINX = "nginx.ingress.kubernetes.io/cors-"
# The chassis gives these with any answer, the last three with a limit.
OF_EVERY_ANSWER = {"ETag", "Retry-After", "X-Request-Id", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"}
Lists = tuple[set[str], set[str]]


@pytest.fixture(scope="module")
def named(helm: Helm) -> dict[str, Lists]:
    """The request and response headers that each ingress names."""
    route = one(helm.manifests("rag-service", *ALLOWED), "HTTPRoute")["spec"]["rules"][0]["filters"][-1]["cors"]
    ingress = of_kind(helm.manifests("rag-service", *ALLOWED, "--set", "ingress.kind=nginx"), "Ingress")[0]
    written: dict[str, str] = ingress["metadata"]["annotations"]
    return {
        "gateway": (set(route["allowHeaders"]), set(route["exposeHeaders"])),
        "nginx": (_split(written[f"{NGINX}allow-headers"]), _split(written[f"{NGINX}expose-headers"])),
        "devstack": _of_caddy(CADDY_ROUTES.read_text()),
        "compose": _of_caddy((ROOT / "charts" / "development" / "Caddyfile").read_text()),
    }


def _split(text: str) -> set[str]:
    return {name.strip() for name in text.split(",")}


def _of_caddy(text: str) -> Lists:
    allowed, exposed = (re.search(rf'Access-Control-{kind}-Headers "(.*)"', text) for kind in ("Allow", "Expose"))
    assert allowed is not None
    assert exposed is not None
    return _split(allowed[1]), _split(exposed[1])


def _operations() -> Iterator[dict[str, Any]]:
    for path in sorted((ROOT / "contracts").glob("*.v1.yaml")):
        for operations in yaml.load(path.read_text(), yaml.CSafeLoader)["paths"].values():
            yield from (operation for operation in operations.values() if isinstance(operation, dict))


def test_every_ingress_names_the_same_headers(named: dict[str, Lists]) -> None:
    """Whatever stands before the services, the same page works."""
    assert all(lists == named["gateway"] for lists in named.values()), named


def test_pages_may_send_and_read_what_the_contracts_have(named: dict[str, Lists]) -> None:
    """Each header of a request can be sent, and each of an answer can be read."""
    allowed, exposed = named["gateway"]
    sent = {each["name"] for one in _operations() for each in one.get("parameters", ()) if each["in"] == "header"}
    answers = (answer for one in _operations() for answer in one["responses"].values())
    assert sent | {"Authorization", "Content-Type", "If-None-Match", "X-Request-Timeout-Ms"} <= allowed
    assert {name for answer in answers for name in answer.get("headers", ())} | OF_EVERY_ANSWER <= exposed
