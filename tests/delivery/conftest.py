"""Fixtures of the delivery tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))  # for what the test modules share
sys.path.append(str(Path(__file__).parents[1] / "charts"))

from chart_tools import Helm, helm_over_copy


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Real helm over a copy of the charts."""
    return helm_over_copy(tmp_path_factory.mktemp("charts"))
