"""The service under test on a real mTLS port with its real model."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from castor_chassis.testing import Authority, RunningService, TokenIssuer, run_service, tls_settings
from sentiment_service.app import create_app
from sentiment_service.settings import SentimentSettings

Run = Callable[..., AbstractAsyncContextManager[RunningService]]
_CHECKOUT = Path(__file__).parents[2]
sys.path.append(str(Path(__file__).parent))  # for what the test modules share


@pytest.fixture(scope="session")
def run(authority: Authority, issuer: TokenIssuer, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """``async with run(setting=value)``: a running sentiment-service; its client may analyse."""
    files = authority.write(tmp_path_factory.mktemp("service"), "sentiment-service")
    caller = authority.write(tmp_path_factory.mktemp("caller"), "twitter-service")

    @asynccontextmanager
    async def running(*, ready: bool = True, **given: Any) -> AsyncIterator[RunningService]:
        settings = SentimentSettings(**{**tls_settings(files), **given})
        async with run_service(create_app(settings, keys=issuer), settings, client_files=caller) as service:
            service.client.headers["Authorization"] = f"Bearer {issuer.user_token(['sentiment:analyze'])}"
            if ready:
                await service.ready()
            yield service

    return running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(run: Run) -> AsyncIterator[RunningService]:
    """A sentiment-service with the settings it ships with, shared by a module's tests."""
    async with run() as running:
        yield running


@pytest.fixture
def validation_file() -> Path:
    """Labelled Spanish tweets (``label TAB text``), which are not part of the repository."""
    folder = Path(os.environ.get("CASTOR_DATA") or _CHECKOUT.parent / "shared" / "data")
    path = folder / "umsab_es_val.tsv"
    if not path.is_file():
        pytest.skip(f"there is no {path}: set CASTOR_DATA to the folder of the labelled tweets")
    return path
