"""What `castor up --reload` and `castor run` start, and what a changed file restarts."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from castor_chassis.testing import until
from castor_devstack.lifecycle.reload import concerned, restart_on_change, source_folders
from castor_devstack.lifecycle.single import needed, options_for
from castor_devstack.stack.services import SERVICES, service_named

TWO = [service_named("rag"), service_named("trending")]


def test_a_change_concerns_its_service_and_the_chassis_concerns_all() -> None:
    """By the folder of the package; a migration is told apart."""
    folders = source_folders(TWO)
    home = {package: folder for folder, package in folders.items()}
    rag, chassis = home["rag_service"], home["castor_chassis"]
    assert concerned([rag / "api" / "files.py"], folders, TWO) == (["rag-service"], False)
    assert concerned([rag / "migrations" / "0099_x.sql"], folders, TWO) == (["rag-service"], True)
    assert concerned([chassis / "tls.py"], folders, TWO) == (["rag-service", "trending-service"], False)
    assert concerned([Path("/elsewhere.py")], folders, TWO) == ([], False)


async def test_a_saved_file_restarts_its_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once it is written, and after its migration was applied."""
    package = tmp_path / "sample_service"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    done: list[str] = []

    async def migrate() -> None:
        done.append("migrated")

    services = [replace(service_named("rag"), package="sample_service")]
    watching = asyncio.create_task(restart_on_change(services, done.append, migrate, lambda _line: None))

    async def restarted() -> bool:
        # Written again and again, because the watch begins at some time.
        (package / "0001_x.sql").write_text(f"-- {len(done)}{asyncio.get_running_loop().time()}")
        await asyncio.sleep(0.2)
        return "rag-service" in done

    try:
        await until(restarted)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    assert done[:2] == ["migrated", "rag-service"]


@pytest.mark.parametrize(
    ("name", "real"),
    [
        ("sentiment", ["auth-service", "sentiment-service"]),
        ("twitter", ["auth-service", "sentiment-service", "twitter-service"]),
        (
            "trending",
            [
                *("auth-service", "sentiment-service", "openai-service", "twitter-service", "trending-service"),
                "rag-service",
            ],
        ),
        ("rag", ["auth-service", "sentiment-service", "openai-service", "twitter-service", "rag-service"]),
    ],
)
def test_a_service_runs_with_what_it_calls(name: str, real: list[str]) -> None:
    """Its peers and theirs, or stubs in place of its peers; auth-service is real either way."""
    service = service_named(name)
    assert [each.name for each in needed(service)] == real
    stubbed = options_for(service, reload=True, stub_peers=True)
    own = [each.name for each in SERVICES if each.name in ("auth-service", service.name)]
    assert [each.name for each in stubbed.services] == own
    assert (tuple(each.name for each in stubbed.stubs), stubbed.reload) == (service.peers, True)
