"""Field types that several resources share."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

EntityId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
