"""``castor up --x sandbox``: the choice, its settings, and the process that serves it."""

from __future__ import annotations

import asyncio
import signal

import pytest

from castor_devstack.errors import DevstackError
from castor_devstack.stack import sandbox
from castor_devstack.stack.probes import answers
from castor_devstack.stack.services import service_named
from castor_devstack.testing import PortLeases
from twitter_service.settings import TwitterSettings


def test_the_choice_is_sandbox_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a chosen sandbox gets a port, and another name is a usage error."""
    monkeypatch.delenv(sandbox.VARIABLE, raising=False)
    assert sandbox.with_port({"a": 1}) == {"a": 1}
    monkeypatch.setenv(sandbox.VARIABLE, "")
    sandbox.choose("sandbox")
    assert sandbox.with_port({"a": 1}) == {"a": 1, "x": sandbox.PREFERRED_PORT}
    assert sandbox.with_port({"a": 0}) == {"a": 0, "x": 0}
    with pytest.raises(DevstackError):
        sandbox.choose("production")


def test_its_settings_are_those_of_twitter_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every variable that the sandbox sets is read by twitter-service."""
    for name, value in sandbox.settings(1234).items():
        assert name.lower() in TwitterSettings.model_fields
        monkeypatch.setenv(name, value)
    settings = TwitterSettings()
    assert settings.x_base_url == "http://127.0.0.1:1234"
    assert settings.x_daily_posts == 100_000
    assert service_named("twitter").package == "twitter_service"


async def test_it_serves_and_ends(test_ports: PortLeases) -> None:
    """The process answers on its port and ends with exit code 0 on SIGTERM."""
    port = test_ports.choose({"x": 0})["x"]
    process = await asyncio.create_subprocess_exec(*sandbox.command(port), stdout=asyncio.subprocess.DEVNULL)
    try:
        async with asyncio.timeout(60):
            while not await answers(port, sandbox.STATISTICS):
                await asyncio.sleep(0.1)
    finally:
        process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 30) == 0
