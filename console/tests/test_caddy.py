"""The routes that every Caddy of the project imports, in a real one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import httpx
import pytest

from castor_devstack.stack.binaries import caddy
from castor_devstack.stack.ports import PortLeases
from console_service import CADDY_ROUTES, SITE

OURS = "https://portal.example"
CONFIGURATION = """\
{{
	admin off
	auto_https off
	persist_config off
}}
http://127.0.0.1:{port} {{
	route {{
		import "{routes}"
		respond "from a service"
	}}
}}
"""


@pytest.fixture(scope="module")
def ingress(tmp_path_factory: pytest.TempPathFactory, test_ports: PortLeases) -> Iterator[httpx.Client]:
    """A client of a Caddy that serves the console before everything else."""
    port = test_ports.choose({"console-caddy": 0})["console-caddy"]
    folder = tmp_path_factory.mktemp("caddy")
    (folder / "Caddyfile").write_text(CONFIGURATION.format(port=port, routes=CADDY_ROUTES))
    given = {"CONSOLE_SITE": str(SITE), "CORS_ORIGINS": f"https://other.example {OURS}", "HOME": str(folder)}
    command = [str(caddy()), "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]
    with subprocess.Popen(command, env={**os.environ, **given}, stderr=subprocess.DEVNULL) as running:
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=httpx.HTTPTransport(retries=8)) as client:
                yield client
        finally:
            running.terminate()


def test_the_console_is_at_the_root(ingress: httpx.Client) -> None:
    """The page has its policy of content and is revalidated; its parts are kept; other paths go on to the services."""
    page = ingress.get("/")
    assert page.content == (SITE / "index.html").read_bytes()
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert (page.headers["X-Content-Type-Options"], page.headers["Cache-Control"]) == ("nosniff", "no-cache")
    part = ingress.get(f"/assets/{next((SITE / 'assets').glob('*.js')).name}")
    assert "immutable" in part.headers["Cache-Control"]
    assert part.headers["Content-Encoding"] in {"gzip", "zstd"}
    assert ingress.get("/v1/auth/me").text == "from a service"
    assert ingress.get("/assets/none.js").status_code == 404


@pytest.mark.parametrize(("origin", "allowed"), [(OURS, True), ("https://portal.example.evil", False), ("null", False)])
def test_pages_of_configured_origins_may_ask(ingress: httpx.Client, origin: str, allowed: bool) -> None:
    """A configured origin is named in answers and may send tokens; any other is not named."""
    answer = ingress.get("/v1/auth/me", headers={"Origin": origin})
    assert (answer.headers.get("Access-Control-Allow-Origin") == origin) is allowed
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    preflight = ingress.options("/v1/auth/login", headers=asked)
    assert (preflight.status_code == 204) is allowed
    assert ("Authorization" in preflight.headers.get("Access-Control-Allow-Headers", "")) is allowed
    exposed = answer.headers.get("Access-Control-Expose-Headers", "").split(", ")
    assert ({"RateLimit-Remaining", "Location", "ETag"} <= set(exposed)) is allowed
    assert "Access-Control-Allow-Credentials" not in answer.headers
