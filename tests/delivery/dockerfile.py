"""The instructions of a Dockerfile."""

from __future__ import annotations

from collections.abc import Iterator


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Yield (INSTRUCTION, rest) with continuation lines joined and comments dropped."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            name, _, rest = line.strip().partition(" ")
            yield name, " ".join(rest.split()) if name != "RUN" else rest.strip()
