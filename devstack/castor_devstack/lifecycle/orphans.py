"""Processes that a killed supervisor left behind."""

from __future__ import annotations

import signal
from pathlib import Path

from castor_devstack.stack.postgres import end_server
from castor_devstack.supervision.pids import Pid, end_all, marked
from castor_devstack.supervision.state import State
from castor_devstack.supervision.state_folder import StateFolder


def end_orphans(state_folder: StateFolder) -> list[str]:
    """End every process that belongs to this state folder; return the names of the parts that were found.

    Call it only while holding the supervisor's lock. PostgreSQL ends last, so that its clients finish first.
    Parts are found by their recorded process ids, their own children by the mark in their environment.
    """
    state = State.read(state_folder)
    left = {name: pid for name, pid in state.parts.items() if pid.alive()}
    database = left.pop("postgres", None)
    end_all({*left.values(), *marked(state_folder.root)} - {database}, patience_seconds=10)
    _end_postgres(database, state)
    return [*left, *(["postgres"] if database else [])]


def _end_postgres(database: Pid | None, state: State) -> None:
    if database is not None:
        end_all([database], patience_seconds=20, first=signal.SIGINT)
    if "postgres_data" in state.facts:
        end_server(Path(state.facts["postgres_data"]))
