"""Who pays for a call."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

from castor_chassis import current_request

TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Payer:
    """The tenant and the service whose accounts a call is booked on."""

    tenant: str
    """The principal, for example ``user:42`` or ``service_account:castor-account-17``; when a service calls on
    somebody's behalf, that one."""
    service: str
    """The calling service; ``ingress`` for calls from outside."""

    def accounts(self) -> tuple[str, str, str]:
        """Return the names of the accounts that a call is booked on."""
        return (TOTAL, f"tenant:{self.tenant}", f"service:{self.service}")


NOBODY = Payer("none", "none")
_user: ContextVar[str | None] = ContextVar("castor_openai_user", default=None)


def set_user(subject: str | None) -> None:
    """Set the verified user or service account on whose behalf the current request was sent; None for nobody."""
    _user.set(None if subject is None else _tenant(subject))


def _tenant(subject: str) -> str:
    # Their ids say which are machines; a token in exchange says no more than the id.
    return f"{'service_account' if subject.startswith('castor-account-') else 'user'}:{subject}"


def current_payer() -> Payer:
    """Return who pays for the current request: the user, also when a service calls for them, and the service."""
    info = current_request()
    if info is None or info.principal is None:
        return NOBODY
    kind, _, subject = info.principal.partition(":")
    service = (info.peer.service if info.peer is not None else None) or "none"
    if kind == "service":
        return Payer(_user.get() or f"service:{subject}", subject)
    # An API key is billed to its owner: three keys share one budget.
    return Payer(_tenant(subject), service)
