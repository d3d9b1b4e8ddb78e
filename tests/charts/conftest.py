"""Fixtures of the chart tests."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))  # for what the test modules share

from chart_schemas import update
from chart_tools import Helm, helm_over_copy


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Real helm over a copy of the charts whose dependencies were built a moment ago."""
    if os.environ.get("UPDATE_CHARTS"):
        update()
    return helm_over_copy(tmp_path_factory.mktemp("charts"))
