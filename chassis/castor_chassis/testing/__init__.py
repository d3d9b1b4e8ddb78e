"""Real parts for tests: an authority, a server on a loopback port, tokens, and a peer that misbehaves."""

from castor_chassis.testing.authority import Authority
from castor_chassis.testing.modules import importable
from castor_chassis.testing.peer import ScriptedPeer
from castor_chassis.testing.replica import Replica, replica
from castor_chassis.testing.server import RunningService, run_service, tls_settings
from castor_chassis.testing.tokens import TokenIssuer, thumbprint_of
from castor_chassis.testing.waiting import end_pause, past_full_hour, until

__all__ = [
    "Authority",
    "Replica",
    "RunningService",
    "ScriptedPeer",
    "TokenIssuer",
    "end_pause",
    "importable",
    "past_full_hour",
    "replica",
    "run_service",
    "thumbprint_of",
    "tls_settings",
    "until",
]
