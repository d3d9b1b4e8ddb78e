"""A small service and its identities, shared by the chassis's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from castor_chassis.testing import Authority, RunningService, TokenIssuer, run_service, tls_settings
from castor_chassis.tls import TlsFiles, TlsIdentity
from small_service import Running
from small_service.app import SmallSettings, create_app


@pytest.fixture
def files(authority: Authority, tmp_path: Path) -> TlsFiles:
    return authority.write(tmp_path / "small", "small-service")


@pytest.fixture
def caller(authority: Authority, tmp_path: Path) -> TlsFiles:
    return authority.write(tmp_path / "caller", "twitter-service")


@pytest.fixture
def caller_identity(caller: TlsFiles) -> TlsIdentity:
    return TlsIdentity(caller)


@pytest.fixture
def running(files: TlsFiles, caller: TlsFiles, issuer: TokenIssuer) -> Running:
    @asynccontextmanager
    async def run(*, client: TlsFiles | None = None, **settings: Any) -> AsyncIterator[RunningService]:
        made = SmallSettings(**{**tls_settings(files), **settings})
        async with run_service(create_app(made, keys=issuer), made, client_files=client or caller) as service:
            yield service

    return run
