"""Modules that a test writes, so that a process of its own can import them."""

from __future__ import annotations

import importlib
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest


def importable(monkeypatch: pytest.MonkeyPatch, folder: Path, source: str) -> Any:
    """Return a module made of ``source`` in ``folder``, which a ``ChildProcess`` finds too while the test runs."""
    name = f"of_a_test_{secrets.token_hex(4)}"
    (folder / f"{name}.py").write_text(source)
    monkeypatch.syspath_prepend(folder)
    return importlib.import_module(name)
