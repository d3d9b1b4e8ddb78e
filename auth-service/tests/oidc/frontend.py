"""A frontend and the browser of its user, for tests; Authlib is the frontend's client."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from authlib.common.security import generate_token
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwk, jwt

from castor_chassis.client.transport import httpx

CALLBACK = "http://localhost:3000/callback"
AFTER_LOGOUT = "http://localhost:3000/bye"
SCOPE = "openid email profile tweets:read"


@dataclass
class Browser:
    """A browser: it keeps cookies, follows nothing, and fills in forms."""

    client: httpx.AsyncClient
    cookies: dict[str, str] = field(default_factory=dict)

    async def open(self, url: str) -> httpx.Response:
        """Open a page."""
        return self._keep(await self.client.get(url, headers=self._headers()))

    async def send(self, page: httpx.Response, form: int = 0, **fields: str) -> httpx.Response:
        """Send a form of a page, the first by default, with its hidden fields."""
        text = page.text.split("<form")[form + 1]
        action = re.search(r'action="([^"]+)"', text)
        assert action is not None, page.text
        hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', text)
        data = {**{name: html.unescape(value) for name, value in hidden}, **fields}
        return self._keep(await self.client.post(action[1], data=data, headers=self._headers()))

    def _headers(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}

    def _keep(self, answer: httpx.Response) -> httpx.Response:
        for name, value in answer.cookies.items():
            self.cookies[name] = value
        # The connection is shared by several browsers.
        self.client.cookies.clear()
        return answer


@dataclass
class Frontend:
    """A registered client."""

    oauth: AsyncOAuth2Client
    metadata: dict[str, Any]
    keys: jwk.KeySet
    verifier: str = field(default_factory=lambda: generate_token(48))
    nonce: str = field(default_factory=lambda: generate_token(20))

    def authorization_url(self, **changed: Any) -> tuple[str, str]:
        """Return where the browser is sent, and the state."""
        given = {"code_verifier": self.verifier, "nonce": self.nonce, **changed}
        url, state = self.oauth.create_authorization_url(self.metadata["authorization_endpoint"], **given)
        return url, state

    async def collect(self, callback: str, **changed: Any) -> dict[str, Any]:
        """Exchange the code in the address that the browser came back to; Authlib checks the state."""
        given = {"code_verifier": self.verifier, **changed}
        url = self.metadata["token_endpoint"]
        tokens: dict[str, Any] = await self.oauth.fetch_token(url, authorization_response=callback, **given)
        return tokens

    def claims_of(self, id_token: str) -> CodeIDToken:
        """Return the claims of an ID token that Authlib finds valid."""
        claims = jwt.decode(id_token, self.keys, algorithms=["RS256"]).claims
        wanted = {"iss": {"essential": True, "value": self.metadata["issuer"]}, "aud": {"value": self.oauth.client_id}}
        found = CodeIDToken(claims, {}, wanted, {"nonce": self.nonce, "client_id": self.oauth.client_id})
        found.validate()
        return found


def parameters_of(url: str) -> dict[str, str]:
    """Return the query of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
