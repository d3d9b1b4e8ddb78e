"""Field types that several resources share."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

DATASET = "Only tweets and entities of this data set; default: all that is stored."
DatasetName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
EntityId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
