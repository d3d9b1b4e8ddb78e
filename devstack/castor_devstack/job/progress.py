"""Progress of the main job in a terminal."""

from __future__ import annotations

import sys


class Progress:
    """In a terminal one progress bar that is redrawn; elsewhere one line per finished step."""

    def __init__(self) -> None:
        self._live = sys.stdout.isatty()

    def show(self, step: str, done: int, total: int, unit: str) -> None:
        """Show how far a step is."""
        if self._live:
            share = done / total if total else 1.0
            bar = ("█" * round(share * 24)).ljust(24, "░")
            sys.stdout.write(f"\r\x1b[K  {step:9} {bar} {share:4.0%}  {done:,} of {total:,} {unit}")
            sys.stdout.flush()

    def done(self, line: str) -> None:
        """Report a finished step."""
        sys.stdout.write(f"\r\x1b[K  ✓ {line}\n" if self._live else f"  {line}\n")
        sys.stdout.flush()
