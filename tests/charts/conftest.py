"""Fixtures of the chart tests."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))  # for what the test modules share

import chart_readmes
from chart_schemas import update
from chart_tools import Helm, helm_over_copy


@pytest.fixture(scope="session", autouse=True)
def schemas() -> None:
    """Write schemas and READMEs before any test reads one, if UPDATE_CHARTS=1 says so."""
    if os.environ.get("UPDATE_CHARTS"):
        update()
        chart_readmes.update()


@pytest.fixture(scope="session")
def helm(schemas: None, tmp_path_factory: pytest.TempPathFactory) -> Helm:  # noqa: ARG001 (an order)
    """As everywhere, after the schemas are written."""
    return helm_over_copy(tmp_path_factory.mktemp("charts"))


@pytest.fixture(scope="session")
def castor(helm: Helm) -> Helm:
    """Helm, with the services built into the umbrella."""
    done = helm.run("dependency", "update", "castor")
    assert done.code == 0, done.error
    return helm
