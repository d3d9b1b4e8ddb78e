"""What a forgery is, and the parts that several are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.security.forge import Forge

Forgery = Callable[[Forge], str]


def header_with(**members: Any) -> Forgery:
    return lambda forge: forge.signed(**members)


CLASSIC = str.maketrans("-_", "+/")
