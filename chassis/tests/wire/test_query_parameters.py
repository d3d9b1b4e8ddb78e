"""Query parameters that a route does not know, or takes once."""

from __future__ import annotations

from typing import Annotated

import pytest
from fastapi import Depends, FastAPI, Query
from pydantic import BaseModel

from castor_chassis.client.transport import httpx
from castor_chassis.service.error_handlers import install_error_handlers
from castor_chassis.testing import TokenIssuer
from castor_chassis.wire.query_parameters import check_query
from small_service import Running


class Filter(BaseModel):
    """Query parameters as a model."""

    author: str | None = None
    labels: list[str] | None = None


def page(limit: int = 10) -> int:
    return limit


def app() -> FastAPI:
    built = FastAPI(dependencies=[Depends(check_query)])
    install_error_handlers(built)

    @built.get("/plain/{name}")
    async def plain(
        name: str, _: Annotated[int, Depends(page)], tags: Annotated[list[str] | None, Query(alias="tag")] = None
    ) -> str:
        return f"{name} {tags}"

    @built.get("/model")
    async def model(asked: Annotated[Filter, Query()]) -> str:
        return str(asked.labels)

    @built.get("/none")
    async def none() -> str:
        return ""

    return built


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("/plain/x?limit=1&tag=a&tag=b", None),
        ("/model?author=x&labels=a&labels=b", None),
        ("/none", None),
        ("/plain/x?limt=1", "query.limt is not known; this route takes limit, tag"),
        ("/plain/x?limit=1&limit=2", "query.limit is given more than once; give it once"),
        ("/plain/x?name=y", "query.name is not known; this route takes limit, tag"),
        ("/model?author=x&author=y", "query.author is given more than once; give it once"),
        ("/model?asked=x", "query.asked is not known; this route takes author, labels"),
        ("/none?x=1", "query.x is not known; this route takes none"),
    ],
)
async def test_unknown_and_repeated_parameters_are_refused(url: str, said: str | None) -> None:
    """Lists may be repeated, single values may not, and what no part of the route declares is named."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app()), base_url="http://test") as client:
        answer = await client.get(url)
    assert (answer.status_code, answer.json()["error"] if said else None) == (422 if said else 200, said)


async def test_every_service_does_so(running: Running, issuer: TokenIssuer) -> None:
    """Routes of a service refuse it whether they are public or not."""
    async with running() as service:
        known = await service.client.get("/v1/small/slow?seconds=0")
        unknown = await service.client.get("/v1/small/slow?second=0")
        headers = {"Authorization": f"Bearer {issuer.user_token(['small:read'])}"}
        guarded = await service.client.get("/v1/small/echo/x?loud=1", headers=headers)
    assert (known.status_code, unknown.status_code, guarded.status_code) == (200, 422, 422)
