"""The console's server on a real mTLS port, as in the cluster."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from castor_chassis.testing import Authority, RunningService, TokenIssuer, run_service, tls_settings
from console_service import CADDY_ROUTES, SITE
from console_service.app import create_app
from console_service.headers import read_headers
from console_service.settings import ConsoleSettings


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(
    authority: Authority, issuer: TokenIssuer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningService]:
    files = authority.write(tmp_path_factory.mktemp("service"), "console")
    ingress = authority.write(tmp_path_factory.mktemp("ingress"), "ingress")
    settings = ConsoleSettings(**tls_settings(files))
    async with run_service(create_app(settings, keys=issuer), settings, client_files=ingress) as running:
        await running.ready()
        yield running


@pytest.mark.asyncio(loop_scope="module")
async def test_the_page_and_its_parts_need_no_token(service: RunningService) -> None:
    """Every built file is given out with the policy of content; what is not there is 404, above the folder as well."""
    page = await service.client.get("/")
    assert (page.status_code, page.text) == (200, (SITE / "index.html").read_text())
    for path in SITE.rglob("*"):
        if path.is_file():
            answer = await service.client.get(f"/{path.relative_to(SITE)}")
            assert answer.status_code == 200
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    for absent in ("/assets/none.js", "/..%2fapp.py", "/v1/auth/me"):
        assert (await service.client.get(absent)).status_code == 404


@pytest.mark.asyncio(loop_scope="module")
async def test_built_files_are_kept_and_the_page_is_asked_for_again(service: RunningService) -> None:
    """A file named for its content never changes; the page is revalidated, and unchanged it is not sent again."""
    name = next((SITE / "assets").glob("*.js")).name
    assert "immutable" in (await service.client.get(f"/assets/{name}")).headers["Cache-Control"]
    page = await service.client.get("/")
    assert page.headers["Cache-Control"] == "no-cache"
    again = await service.client.get("/", headers={"If-None-Match": page.headers["ETag"]})
    assert again.status_code == 304


def test_headers_are_written_once() -> None:
    """The server's headers are those of Caddy's routes; without their block it does not start."""
    common, special = read_headers(CADDY_ROUTES.read_text())
    assert "require-trusted-types-for 'script'" in common["Content-Security-Policy"]
    assert "unsafe" not in str(common) + str(special)
    assert special["viewer"].keys() == {"Content-Security-Policy"}
    with pytest.raises(ValueError, match="handle @console"):
        read_headers("")
