"""Calls of the main job: each with a valid token, all in one trace."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from castor_devstack.job.ingress_client import IngressClient

Json = dict[str, Any]


class TracedClient:
    """Calls the services through the ingress; ``trace_id`` finds all of it in logs and traces."""

    def __init__(self, ingress: IngressClient, token: Callable[[], str]) -> None:
        self._ingress = ingress
        self._token = token
        self.trace_id = uuid.uuid4().hex

    @property
    def url(self) -> str:
        """The address of the ingress."""
        return self._ingress.url

    def call(self, method: str, path: str, body: Any = None, *, seconds: float = 60, **headers: str) -> Json:
        """Return the whole envelope of the answer; raises ``DevstackError`` for an error or no answer.

        The token is asked for at every call, because a long job outlives one.
        """
        sent = {
            "Authorization": f"Bearer {self._token()}",
            "X-Request-ID": f"demo-{uuid.uuid4().hex}",
            "traceparent": f"00-{self.trace_id}-{uuid.uuid4().hex[:16]}-01",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return self._ingress.ask(method, path, body, headers=sent, timeout_seconds=seconds)

    def get(self, path: str, **query: Any) -> Json:
        """Return the whole envelope; parameters that are None are left out."""
        given = {name: value for name, value in query.items() if value is not None}
        return self.call("GET", f"{path}?{urlencode(given)}" if given else path)
