"""How ``make test`` spreads tests over processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def shared(request: pytest.FixtureRequest) -> Any:
    """The conftest of the repository's root: other folders have one of that name too."""
    return request.config.pluginmanager.get_plugin(str(ROOT / "conftest.py"))


def test_what_shares_a_system_exists(shared: Any) -> None:
    """A module that was renamed would start a system of its own again."""
    assert [module for module in shared.SHARING_A_SYSTEM if not (ROOT / module).is_file()] == []


def test_all_that_need_a_system_share_one(shared: Any, request: pytest.FixtureRequest) -> None:
    """Those of this session that ask for ``system`` go to two processes: end to end, and all others."""
    asking = {item.nodeid for item in request.session.items if "system" in getattr(item, "fixturenames", ())}
    scopes = {
        shared.ModuleScheduling._split_scope(None, nodeid)
        for nodeid in asking
        if not nodeid.startswith("tests/clients/")
    }
    assert scopes <= {"tests/e2e", "system"}
