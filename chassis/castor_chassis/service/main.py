"""The command line that every service has: ``python -m <service> [serve|migrate|openapi]``, and its own commands."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar, cast

import structlog
from fastapi import FastAPI
from pydantic import ValidationError

from castor_chassis.observability.logging import configure_logging
from castor_chassis.observability.tracing import configure_tracing
from castor_chassis.service.server import serve
from castor_chassis.settings import ServiceSettings, reveal
from castor_chassis.storage.migrations import migrate
from castor_chassis.wire.openapi import export_contract

S = TypeVar("S", bound=ServiceSettings)


def main(
    package: str,
    settings_type: type[S],
    create_app: Callable[[S], FastAPI],
    commands: Mapping[str, Callable[[S, Sequence[str]], int]] | None = None,
) -> None:
    """Read the environment, do what the first argument says, and exit.

    ``commands`` are the service's own: each gets the settings and the arguments after its name, and returns the
    exit status. This is the only reader of the environment. A wrong setting ends it with one line per problem.
    """
    own = commands or {}
    arguments = _arguments(package, own)
    if arguments.command == "openapi":
        sys.stdout.write(export_contract(create_app(cast(S, settings_type.model_construct()))))
        return
    settings = _settings(settings_type)
    configure_logging(settings.service_name, settings.log_level)
    if arguments.command == "migrate":
        sys.exit(_migrate(settings, package))
    if arguments.command in own:
        sys.exit(own[arguments.command](settings, arguments.arguments))
    configure_tracing(settings)
    sys.exit(serve(create_app(settings), settings))


def _arguments(package: str, own: Mapping[str, object]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"python -m {package}")
    parser.add_argument("command", choices=["serve", "migrate", "openapi", *own], nargs="?", default="serve")
    parser.add_argument("arguments", nargs="*", help="of the service's own commands")
    given = parser.parse_args()
    if given.arguments and given.command not in own:
        parser.error(f"{given.command} takes no arguments, but got: {' '.join(given.arguments)}")
    return given


def _settings(settings_type: type[S]) -> S:
    try:
        return settings_type()
    except ValidationError as error:
        for problem in error.errors():
            name = "_".join(str(part) for part in problem["loc"]).upper() or "SETTINGS"
            sys.stderr.write(f"{name}: {problem['msg']}\n")
        sys.exit(2)


def _migrate(settings: ServiceSettings, package: str) -> int:
    log = structlog.get_logger("castor.migrate")
    database_url = reveal(settings.database_url)
    if database_url is None:
        log.info("nothing_to_migrate", reason="this service has no database")
        return 0
    try:
        applied = asyncio.run(migrate(database_url, package))
    except Exception:
        log.exception("migration_failed")
        return 1
    log.info("migrated", applied=applied)
    return 0
