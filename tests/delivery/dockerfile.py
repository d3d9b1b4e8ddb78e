"""Builds and describes an image without a container engine: it follows the Dockerfile, instruction by instruction.

Every stage shares one /app, which is a folder of the caller's; that suffices for a Dockerfile whose stages hand on
nothing but /app, and an instruction that is not understood is an error. The real builds are those of tests/images; here
each image's command serves and ends, on machines without an engine too.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_PASSED_ON = ("PIP_", "UV_", "SSL_CERT", "HOME", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "LANG")


@dataclass
class Image:
    """What a container of the image is started with."""

    app: Path
    environment: dict[str, str] = field(default_factory=dict)
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    healthcheck: list[str] = field(default_factory=list)
    user: str = "root"


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Yield (INSTRUCTION, rest) with continuation lines joined and comments dropped."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            name, _, rest = line.strip().partition(" ")
            yield name, " ".join(rest.split()) if name != "RUN" else rest.strip()


class Builder:
    """Follows a Dockerfile for one service; ``root`` stands for the file system of the image."""

    def __init__(self, source: Path, root: Path, *, python: Path, arguments: dict[str, str]) -> None:
        self.source = source
        self.image = Image(root / "app")
        self._root = root
        self._python = python
        self._given = arguments
        self._arguments: dict[str, str] = {}
        self._stages: dict[str, dict[str, str]] = {}
        self._kept: set[Path] = set()
        self._ignored = _Ignore((source / ".dockerignore").read_text())

    def build(self) -> Image:
        """Run every instruction, and keep of /app what the last stage copies."""
        for name, rest in instructions((self.source / "Dockerfile").read_text()):
            getattr(self, f"_{name.lower()}")(rest)
        self._drop_the_rest()
        return self.image

    def place(self, path: str) -> str:
        """Return where a path of the image lies."""
        return re.sub(r"(?<![\w./-])/app\b", str(self.image.app), path)

    def _text(self, text: str) -> str:
        known = {**self._arguments, **self.image.environment}
        return re.sub(r"\$\{(\w+)\}|\$(\w+)", lambda found: known[found[1] or found[2]], text)

    def _from(self, rest: str) -> None:
        base, _, stage = rest.partition(" AS ")
        self.image.environment = dict(self._stages.get(base, {"PATH": f"{self._python.parent}:/usr/bin:/bin"}))
        self._stages[stage] = self.image.environment

    def _arg(self, rest: str) -> None:
        name, _, default = rest.partition("=")
        self._arguments[name] = self._given.get(name, default)

    def _env(self, rest: str) -> None:
        for part in shlex.split(rest):
            name, _, value = part.partition("=")
            self.image.environment[name] = self.place(self._text(value))

    def _workdir(self, rest: str) -> None:
        assert rest == "/app"
        self.image.app.mkdir(parents=True, exist_ok=True)

    def _copy(self, rest: str) -> None:
        *sources, target = self._text(rest).split()
        if sources[0].startswith("--from="):
            assert sources[1] == target
            self._kept.add(Path(self.place(target)))
            return
        for source in sources:
            self._take(Path(source), self.image.app / target, into=target.endswith("/"))

    def _take(self, source: Path, target: Path, *, into: bool) -> None:
        paths = [path for path in (self.source / source).rglob("*") if path.is_file()] or [self.source / source]
        kept = [path for path in paths if not self._ignored.matches(path.relative_to(self.source))]
        assert kept, f".dockerignore leaves nothing of {source}"
        for path in kept:
            place = target / path.name if into else target / path.relative_to(self.source / source)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place)

    def _drop_the_rest(self) -> None:
        for path in self.image.app.iterdir():
            if path not in self._kept:
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _run(self, rest: str) -> None:
        command = self.place(re.sub(r"--mount=\S+\s+", "", rest))
        inherited = {name: value for name, value in os.environ.items() if name.upper().startswith(_PASSED_ON)}
        environment = {**inherited, **self._arguments, **self.image.environment}
        done = subprocess.run(
            ["/bin/sh", "-c", command], cwd=self.image.app, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"

    def _user(self, rest: str) -> None:
        self.image.user = rest

    def _entrypoint(self, rest: str) -> None:
        self.image.entrypoint = [self.place(part) for part in json.loads(rest)]

    def _cmd(self, rest: str) -> None:
        self.image.command = json.loads(rest)

    def _healthcheck(self, rest: str) -> None:
        self.image.healthcheck = json.loads(rest.partition("CMD ")[2])

    def _label(self, rest: str) -> None:
        assert "org.opencontainers.image.title" in self._text(rest)

    def _expose(self, rest: str) -> None:
        assert rest == "8443 9090"


class _Ignore:
    """The rules of a .dockerignore: the last one that matches decides."""

    def __init__(self, text: str) -> None:
        lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
        self._rules = [(line.startswith("!"), self._pattern(line.removeprefix("!"))) for line in lines]

    @staticmethod
    def _pattern(line: str) -> re.Pattern[str]:
        parts = re.split(r"(\*\*/|\*\*|\*)", line)
        known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*"}
        return re.compile("".join(known.get(part, re.escape(part)) for part in parts) + "(?:/.*)?$")

    def matches(self, path: Path) -> bool:
        decided = False
        for included, pattern in self._rules:
            if pattern.match(path.as_posix()):
                decided = not included
        return decided


def base_python(folder: Path) -> Path:
    """Return a Python with pip that stands for the base image's: of the system, if there is one that others may run."""
    system = shutil.which("python3.11", path="/usr/bin:/usr/local/bin") or sys.executable
    subprocess.run([system, "-m", "venv", str(folder)], check=True, capture_output=True)
    return folder / "bin" / "python"
