"""Applies the migrations of all services in one process: `python -m castor_devstack.lifecycle.migrations`.

Containers run `python -m <package> migrate` per service instead. One process for all saves the seconds of CPU
that importing the chassis costs each time.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

from castor_chassis.storage.migrations import migrate

DATABASES = "CASTOR_DATABASES"
"""Environment variable: JSON object of package to connection URL."""


async def migrate_all(databases: dict[str, str]) -> bool:
    """Migrate all databases concurrently, print the result of each, and return whether all succeeded."""
    results = await asyncio.gather(
        *(migrate(url, package) for package, url in databases.items()), return_exceptions=True
    )
    for package, result in zip(databases, results, strict=True):
        failed = isinstance(result, BaseException)
        print(f"{package}: {type(result).__name__}: {result}" if failed else f"{package}: applied {result}")
    return not any(isinstance(result, BaseException) for result in results)


def main() -> None:
    """Exit with 0 when every database is at its latest version."""
    sys.exit(0 if asyncio.run(migrate_all(json.loads(os.environ[DATABASES]))) else 1)


if __name__ == "__main__":
    main()
