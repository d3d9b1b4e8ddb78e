"""The prompts of the tasks: one Spanish text file each, with a version that is raised whenever the text changes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent
_RULES = "rules.md"


class PromptError(RuntimeError):
    """A prompt file is missing or has no valid head."""


@dataclass(frozen=True, slots=True)
class PromptFile:
    """One prompt. ``version`` identifies the text: ``topics@1-3fa9c21b`` has the file's version and a digest of it."""

    name: str
    version: str
    temperature: float
    max_tokens: int
    text: str


def load(names: Iterable[str]) -> Mapping[str, PromptFile]:
    """Read the prompts; raises ``PromptError``."""
    rules = _read(_RULES)
    return {name: _parsed(name, rules) for name in names}


def _parsed(name: str, rules: str) -> PromptFile:
    try:
        _, head, body = _read(f"{name}.md").split("---\n", 2)
        said = dict(line.split(": ", 1) for line in head.strip().splitlines())
        # A repair continues a conversation that contains the rules already.
        text = body.strip() if name == "repair" else f"{body.strip()}\n\n{rules.strip()}"
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        version = f"{name}@{int(said['version'])}-{digest}"
        return PromptFile(name, version, float(said["temperature"]), int(said["max_tokens"]), text)
    except (ValueError, KeyError) as error:
        raise PromptError(f"the prompt file {name}.md lacks its head (version, temperature, max_tokens)") from error


def _read(name: str) -> str:
    try:
        return (_FOLDER / name).read_text(encoding="utf-8")
    except OSError as error:
        raise PromptError(f"the prompt file {name} cannot be read: reinstall the package") from error
