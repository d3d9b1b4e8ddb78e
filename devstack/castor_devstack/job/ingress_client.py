"""A small HTTP client of the ingress, for the calls that the `castor` command makes."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from typing import Any

from castor_devstack.errors import DevstackError
from castor_devstack.supervision.state import State, is_locked
from castor_devstack.supervision.state_folder import StateFolder


class ErrorAnswer(DevstackError):
    """A service answered with an error; the message is the ``error`` of its envelope."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class IngressClient:
    """Sends JSON through the ingress; trusts only the development certificate authority."""

    def __init__(self, url: str, authority_file: str) -> None:
        self.url = url
        handler = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=authority_file))
        # A proxy set in the environment must not be used on the loopback address.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), handler)

    @classmethod
    def of(cls, state_folder: StateFolder) -> IngressClient:
        """Return a client of the running stack; raises ``DevstackError`` when the stack is not ready."""
        state = State.read(state_folder)
        if not is_locked(state_folder) or state.phase != "ready":
            raise DevstackError("CASTOR is not running; start it with `castor up --detach`.")
        return cls(state.facts["ingress"], state.facts["ca"])

    def call(self, method: str, path: str, body: dict[str, Any] | None = None, *, token: str | None = None) -> Any:
        """Return the ``data`` of the answer; raises ``ErrorAnswer``, or ``DevstackError`` when nothing answers."""
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
        """Return the whole envelope; a dict is sent as JSON, an iterable of bytes as a chunked body."""
        content = json.dumps(body).encode() if isinstance(body, dict) else body
        sent = {"Content-Type": "application/json", **headers}
        request = urllib.request.Request(self.url + path, content, sent, method=method)
        try:
            with self._opener.open(request, timeout=timeout_seconds) as answer:
                envelope: dict[str, Any] = json.load(answer)
                return envelope
        except urllib.error.HTTPError as error:
            raise _error_answer(error) from error
        except OSError as error:
            raise DevstackError(f"The ingress {self.url} does not answer ({error}); see `castor status`.") from error


def _error_answer(error: urllib.error.HTTPError) -> ErrorAnswer:
    try:
        envelope = json.load(error)
        return ErrorAnswer(error.code, str(envelope["error"]), str(envelope["code"]))
    except (ValueError, KeyError, TypeError):
        return ErrorAnswer(error.code, f"The ingress answered {error.code} {error.reason}.")
