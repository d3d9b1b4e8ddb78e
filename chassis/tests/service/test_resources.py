"""What a service's ``start`` yields reaches its routes; its background work is named for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI
from prometheus_client import REGISTRY

from castor_chassis import Chassis, Ok, create_service, ok, provided, public
from castor_chassis.storage.migrations import migrate
from castor_chassis.testing import Authority, TokenIssuer, run_service, tls_settings
from small_service.app import SmallSettings


@dataclass(frozen=True)
class Parts:
    """What the route uses."""

    word: str


router = APIRouter()


@router.get("/word", dependencies=[Depends(public("tests need it"))])
async def word(parts: Annotated[Parts, provided(Parts)]) -> Ok[str]:
    """Return the word that ``start`` gave."""
    return ok(parts.word)


def app_that_yields(
    parts: Any, settings: SmallSettings, issuer: TokenIssuer, package: str = "small_service"
) -> FastAPI:
    """Return an app whose ``start`` yields ``parts`` and begins work under the lease ``work``."""

    @asynccontextmanager
    async def start(chassis: Chassis[SmallSettings]) -> AsyncIterator[Any]:
        if chassis.settings.database_url is not None:
            chassis.spawn_under_lease("work", lambda: asyncio.sleep(60))
        yield parts

    return create_service(
        settings, package=package, version="1", summary="test", routers=[router], start=start, keys=issuer
    )


@pytest.fixture
def settings(authority: Authority, tmp_path: Path) -> dict[str, Any]:
    return tls_settings(authority.write(tmp_path / "small", "small-service"))


async def test_routes_get_what_start_yields(settings: dict[str, Any], issuer: TokenIssuer) -> None:
    """The object that ``start`` yields is the one that a route is given."""
    made = SmallSettings(**settings)
    async with run_service(app_that_yields(Parts("hola"), made, issuer), made) as service:
        assert (await service.client.get("/word")).json()["data"] == "hola"


async def test_another_kind_of_thing_is_a_failure_not_a_surprise(settings: dict[str, Any], issuer: TokenIssuer) -> None:
    """A service that yields something else fails its requests with 500 instead of handing it to the route."""
    made = SmallSettings(**settings)
    async with run_service(app_that_yields("hola", made, issuer), made) as service:
        answer = await service.client.get("/word")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")


def held() -> bool:
    """Return whether the lease of the test's service is held."""
    return REGISTRY.get_sample_value("castor_lease_held", {"lease": "small:work"}) == 1


async def test_leased_work_is_named_for_its_service_and_waits_for_migrations(
    settings: dict[str, Any],
    issuer: TokenIssuer,
    postgres_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing runs on a database that is not migrated; once it is, the work holds ``<service>:<work>``."""
    folder = tmp_path / "leased_package" / "migrations"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("")
    (folder / "0001_leased_package.sql").write_text("SELECT 1;")
    monkeypatch.syspath_prepend(str(tmp_path))
    made = SmallSettings(**settings, database_url=postgres_url)
    async with run_service(app_that_yields(Parts("x"), made, issuer, "leased_package"), made):
        await asyncio.sleep(0.5)
        assert not held()
        await migrate(postgres_url, "leased_package")
        async with asyncio.timeout(60):
            while not held():
                await asyncio.sleep(0.05)
    assert not held()
