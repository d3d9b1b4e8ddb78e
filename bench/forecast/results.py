"""Scores that a measurement keeps in a file, so that it can be run in pieces."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


class TimeUp(Exception):
    """The time of this run is over; the next one goes on."""


class Results:
    """Scores by key, one JSON line each; without a path they are kept in memory alone."""

    def __init__(self, path: str | None, until: float) -> None:
        self._path, self._until = path, until
        lines = Path(path).read_text(encoding="utf-8").splitlines() if path and Path(path).exists() else []
        self._known: dict[str, dict[str, Any]] = dict(json.loads(line) for line in lines)

    def of(self, key: str, measured: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return what is known under a key, or measure and keep it; raises ``TimeUp`` after ``until`` (monotonic)."""
        if key not in self._known:
            if time.monotonic() > self._until:
                print("the time is up; the next run goes on")
                raise TimeUp
            self._known[key] = {name: np.asarray(value).tolist() for name, value in measured().items()}
            self._keep(key)
        return self._known[key]

    def _keep(self, key: str) -> None:
        if self._path:
            with Path(self._path).open("a", encoding="utf-8") as file:
                file.write(json.dumps([key, self._known[key]]) + "\n")
