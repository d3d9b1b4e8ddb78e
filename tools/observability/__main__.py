"""``python -m tools.observability [write|check|table]``: the files that are generated from the table of objectives."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.observability import dashboards, rules, slo


def generated() -> dict[Path, str]:
    """Return every generated file with its content."""
    table, files = slo.load(), slo.CHART / "files"
    boards = {files / "dashboards" / f"{name}.json": text for name, text in dashboards.render(table).items()}
    return {files / "rules" / "slo-recordings.yaml": rules.render(table), **boards}


def stale() -> list[Path]:
    """Return the files that are not what the table says."""
    return [path for path, text in generated().items() if not path.exists() or path.read_text() != text]


def main() -> None:
    """Write the files, or say which ones are stale, or print the objectives and the leases."""
    parser = argparse.ArgumentParser(prog="python -m tools.observability")
    parser.add_argument("command", choices=["write", "check", "table"], nargs="?", default="check")
    command = parser.parse_args().command
    if command == "table":
        print(slo.markdown(slo.load()), slo.leases(slo.load()), sep="\n\n")
        return
    paths = stale()
    if command == "check" and paths:
        sys.exit("stale, run 'python -m tools.observability write': " + ", ".join(path.name for path in paths))
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(generated()[path])
        print(path.relative_to(slo.ROOT))


if __name__ == "__main__":
    main()
