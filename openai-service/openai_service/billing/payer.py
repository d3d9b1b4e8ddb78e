"""Who pays for a call."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

from castor_chassis import Claims, Principal, current_request

TOTAL = "total"
PLATFORM = "default"
"""The organisation of the platform, and of whoever was there before there were others."""


@dataclass(frozen=True, slots=True)
class Payer:
    """The tenant, the service and the organisation whose accounts a call is booked on."""

    tenant: str
    """The principal, for example ``user:42`` or ``service_account:castor-account-17``; when a service calls on
    somebody's behalf, that one."""
    service: str
    """The calling service; ``ingress`` for calls from outside."""
    org: str | None = None
    """The user's organisation; None for what services do by themselves, which is the platform's."""

    def accounts(self) -> tuple[str, ...]:
        """Return the names of the accounts that a call is booked on."""
        of_org = () if self.org is None else (f"org:{self.org}",)
        return (TOTAL, f"tenant:{self.tenant}", f"service:{self.service}", *of_org)


NOBODY = Payer("none", "none")
_payer: ContextVar[Payer] = ContextVar("castor_openai_payer", default=NOBODY)


def set_payer(caller: Principal, user: Claims | None) -> None:
    """Set who pays for the current request: the user, also when a service calls for one, and the service."""
    info = current_request()
    if caller.kind != "service":
        service = (info.peer.service if info is not None and info.peer is not None else None) or "none"
        # An API key is billed to its owner: three keys share one budget.
        _payer.set(Payer(_tenant(caller.subject), service, caller.org or PLATFORM))
    elif user is not None:
        _payer.set(Payer(_tenant(user.subject), caller.subject, user.org or PLATFORM))
    else:
        _payer.set(Payer(caller.label, caller.subject))


def _tenant(subject: str) -> str:
    # Their ids say which are machines; a token in exchange says no more than the id.
    return f"{'service_account' if subject.startswith('castor-account-') else 'user'}:{subject}"


def current_payer() -> Payer:
    """Return who pays for the current request."""
    return _payer.get()
