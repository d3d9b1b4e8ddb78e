"""``python -m tools.canary``: what the canary analysis decides about recorded releases, as a table."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tools.canary.proof import LIMITS, RELEASES, Judgement, judge_all, missing_tools


def show(judgements: list[Judgement]) -> str:
    """Return the table."""
    limits = ", ".join(f"{name} {value}" for name, value in LIMITS.items())
    lines = [f"limits: {limits}", f"{'release':<9} {'a round':<28} {'success':>9} {'p95':>9}  verdict"]
    for one in judgements:
        mix = ", ".join(f"{number:g} {kind}" for kind, number in RELEASES[one.release].items()) or "nothing"
        success, p95 = (_last(one.values[name]) for name in ("success-rate", "p95-seconds"))
        lines.append(f"{one.release:<9} {mix:<28} {success:>9} {p95:>9}  {one.verdict}")
    return "\n".join(lines)


def _last(values: list[float]) -> str:
    return f"{values[-1]:.4f}" if values else "-"


def main() -> None:
    """Print the table."""
    if missing_tools():
        sys.exit(f"not installed: {', '.join(missing_tools())} (Debian: apt-get install prometheus)")
    with tempfile.TemporaryDirectory() as folder:
        print(show(judge_all(Path(folder))))


if __name__ == "__main__":
    main()
