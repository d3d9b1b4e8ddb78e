"""The ingress, for the few calls that the command line makes itself."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from typing import Any

from castor_devstack.errors import DevstackError
from castor_devstack.supervision.state import State, is_locked
from castor_devstack.supervision.state_folder import Home


class Rejected(DevstackError):
    """A service answered with an error envelope; the message is its sentence."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Door:
    """Sends JSON through the ingress; trusts the development authority alone."""

    def __init__(self, url: str, authority_file: str) -> None:
        self.url = url
        handler = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=authority_file))
        # A proxy of the environment has no business between two programs of one machine.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), handler)

    @classmethod
    def of(cls, home: Home) -> Door:
        """Return the ingress of a stack that is ready; raises ``DevstackError`` when it is not."""
        state = State.read(home)
        if not is_locked(home) or state.phase != "ready":
            raise DevstackError("CASTOR is not running; start it with `castor up --detach`.")
        return cls(state.facts["ingress"], state.facts["ca"])

    def call(self, method: str, path: str, body: dict[str, Any] | None = None, *, token: str | None = None) -> Any:
        """Return the ``data`` of the answer; raises ``Rejected``, or ``DevstackError`` when nobody answers."""
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        return self.ask(method, path, body, headers=headers)["data"]

    def ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | Iterable[bytes] | None = None,
        *,
        headers: Mapping[str, str],
        timeout_seconds: float = 30,
    ) -> dict[str, Any]:
        """Return the whole envelope; ``body`` is sent as JSON, or as it comes when it is an iterable of bytes."""
        content = json.dumps(body).encode() if isinstance(body, dict) else body
        sent = {"Content-Type": "application/json", **headers}
        request = urllib.request.Request(self.url + path, content, sent, method=method)
        try:
            with self._opener.open(request, timeout=timeout_seconds) as answer:
                envelope: dict[str, Any] = json.load(answer)
                return envelope
        except urllib.error.HTTPError as error:
            raise _rejected(error) from error
        except OSError as error:
            raise DevstackError(f"The ingress {self.url} does not answer ({error}); see `castor status`.") from error


def _rejected(error: urllib.error.HTTPError) -> Rejected:
    try:
        envelope = json.load(error)
        return Rejected(error.code, str(envelope["error"]), str(envelope["code"]))
    except (ValueError, KeyError, TypeError):
        return Rejected(error.code, f"The ingress answered {error.code} {error.reason}.")
