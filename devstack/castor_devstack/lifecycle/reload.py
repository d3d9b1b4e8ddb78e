"""Restarts services when their source changes: `castor up --reload` and `castor run SERVICE --reload`."""

from __future__ import annotations

import importlib.util
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path

from watchfiles import DefaultFilter, awatch

from castor_devstack.stack.services import Service
from castor_devstack.supervision.supervisor import PrintLine

CHASSIS = "castor_chassis"
_MIGRATION = ".sql"


class SourceFilter(DefaultFilter):
    """Watches what a service reads at its start: code, migrations, prompts, word lists; no caches or hidden files."""

    ignore_dirs = (*DefaultFilter.ignore_dirs, "models")


def source_folders(services: Iterable[Service]) -> dict[Path, str]:
    """Return the folders of the packages of ``services`` and of the chassis, with the package that each holds."""
    found = {}
    for package in (CHASSIS, *(service.package for service in services)):
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin is not None:
            found[Path(spec.origin).parent.resolve()] = package
    return found


def concerned(
    changed: Iterable[Path], folders: Mapping[Path, str], services: Sequence[Service]
) -> tuple[list[str], bool]:
    """Return the names of the services that a change concerns, and whether it changed a migration.

    The chassis concerns all of them.
    """
    files = list(changed)
    packages = {package for file in files for folder, package in folders.items() if file.is_relative_to(folder)}
    names = [service.name for service in services if CHASSIS in packages or service.package in packages]
    return names, any(file.suffix == _MIGRATION for file in files)


async def restart_on_change(
    services: Sequence[Service],
    restart: Callable[[str], None],
    migrate: Callable[[], Awaitable[None]],
    print_line: PrintLine,
) -> None:
    """Restart the services whose source changes, until cancelled; a changed migration is applied before.

    A service that does not start with the change is started again with the next one.
    """
    folders = source_folders(services)
    async for changes in awatch(*folders, watch_filter=SourceFilter()):
        files = sorted({Path(path) for _, path in changes})
        names, has_migration = concerned(files, folders, services)
        print_line(f"  changed: {', '.join(file.name for file in files[:5])}; restarting {', '.join(names)}")
        try:
            if has_migration:
                await migrate()
        except Exception as error:  # whatever it is, the next change may mend it
            print_line(f"  {error}")
            continue
        for name in names:
            restart(name)
