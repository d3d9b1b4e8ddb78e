"""Fixtures of the tests on a container engine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))  # for what the test modules share

import engine as engines
import stand_ins
from building import Images
from chart_tools import RELEASES
from composition import Composition


@pytest.fixture(scope="session")
def engine() -> Iterator[engines.Engine]:
    """A running engine."""
    with engines.engine() as running:
        yield running


@pytest.fixture(scope="session")
def images(engine: engines.Engine) -> Images:
    """Builds our images, each once: base, index and authorities as this machine has them."""
    return Images(engine, stand_ins.base(engine) if engine.is_made else {})


@pytest.fixture
def composition(engine: engines.Engine, images: Images) -> Iterator[Composition]:
    """Everything of docker-compose.yml, started and healthy."""
    for service in RELEASES:
        images.built(service)
    if engine.is_made:
        stand_ins.backing(engine)
    running = Composition(engine)
    try:
        running.up()
        yield running
    finally:
        running.down()
