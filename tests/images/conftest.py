"""Fixtures of the tests on a container engine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))  # for what the test modules share
sys.path.append(str(Path(__file__).parents[1] / "charts"))

import engine as engines
import stand_ins
from building import Images


@pytest.fixture(scope="session")
def engine() -> Iterator[engines.Engine]:
    """A running engine."""
    with engines.engine() as running:
        yield running


@pytest.fixture(scope="session")
def images(engine: engines.Engine) -> Images:
    """Builds our images, each once: base, index and authorities as this machine has them."""
    return Images(engine, stand_ins.base(engine) if engine.is_made else {})
