"""``python -m bench [NAME ...] [OPTION ...]`` runs the named measurements, or all."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import bench


def main(arguments: list[str]) -> None:
    """Run measurements by name; what follows the names is theirs."""
    first_option = next((at for at, one in enumerate(arguments) if one.startswith("-")), len(arguments))
    names, sys.argv[1:] = arguments[:first_option], arguments[first_option:]
    known = sorted(m.name for m in pkgutil.iter_modules(bench.__path__) if not m.name.startswith("_"))
    unknown = set(names) - set(known)
    if unknown:
        sys.exit(f"no measurement is called {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
    for name in names or known:
        print(f"\n== {name}")
        importlib.import_module(f"bench.{name}").main()


if __name__ == "__main__":
    main(sys.argv[1:])
