"""What a client uses of a peer; a test holds it against the peer's contract.

Producer and consumer live in one repository, so this gives what consumer-driven contract tests give, without
a broker: each client declares its ``OPERATIONS``, and ``tools/contracts`` says what a contract does not offer of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel


@dataclass(frozen=True)
class Operation:
    """One call that a client makes."""

    method: str
    path: str
    sends: tuple[str, ...] = ()
    """Names of query parameters and of top-level body fields."""
    reads: type[BaseModel] | None = None
    """The model that the client reads ``data`` with (the whole answer where there is no envelope)."""
