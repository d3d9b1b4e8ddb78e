"""Settings of the console's server: those of every service, and none of its own."""

from __future__ import annotations

from typing import ClassVar

from castor_chassis import ServiceSettings


class ConsoleSettings(ServiceSettings):
    """It serves files and calls nobody."""

    service_name: ClassVar[str] = "console"
