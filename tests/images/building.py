"""Builds images as an operator would, behind whatever this machine is behind."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine import Engine


@dataclass(frozen=True)
class Image:
    """What `docker inspect` says, the sizes of our two layers in MB, and the time that the build took."""

    told: Mapping[str, Any]
    dependencies: int
    code: int
    seconds: float


@dataclass(frozen=True)
class Images:
    """The images of this checkout; ``arguments`` are build arguments of the base."""

    engine: Engine
    arguments: Mapping[str, str]
    _known: dict[str, Image] = field(default_factory=dict)

    def built(self, service: str) -> Image:
        """Build the image of a service unless that is done."""
        if service not in self._known:
            self._known[service] = self.build(service, f"castor/{service}:development")
        return self._known[service]

    def build(self, service: str, tag: str, context: str = ".") -> Image:
        """Build an image from a context of the engine's."""
        began = time.monotonic()
        self.engine.docker("build", *self._options(), "--build-arg", f"SERVICE={service}", "--tag", tag, context)
        seconds = time.monotonic() - began
        sizes = self.engine.docker("history", "--human=false", "--format", "{{.Size}} {{.CreatedBy}}", tag).stdout
        code, dependencies = (int(line.split()[0]) for line in sizes.splitlines() if " COPY /app/" in line)
        told = json.loads(self.engine.docker("inspect", tag).stdout)[0]
        return Image(told, round(dependencies / 1e6), round(code / 1e6), seconds)

    def _options(self) -> list[str]:
        index = os.environ.get("PIP_INDEX_URL")
        arguments = {**self.arguments, **({"PIP_INDEX_URL": index} if index else {})}
        options = [option for name, value in arguments.items() for option in ("--build-arg", f"{name}={value}")]
        file = Path(os.environ.get("SSL_CERT_FILE", ""))
        if file.is_file():
            copy = self.engine.scratch / "authorities.pem"
            copy.write_bytes(file.read_bytes())
            options += ["--secret", f"id=ca,src={self.engine.path(copy)}"]
        return options
