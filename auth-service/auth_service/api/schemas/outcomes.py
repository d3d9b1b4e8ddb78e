"""Wire models that say only that something was done."""

from __future__ import annotations

from typing import Literal

from castor_chassis import ResponseModel


class AskedView(ResponseModel):
    """The request was taken; what comes of it is sent to the address, which tells nobody else anything."""

    status: Literal["sent_if_possible"] = "sent_if_possible"


class DoneView(ResponseModel):
    """It is done."""

    done: Literal[True] = True
