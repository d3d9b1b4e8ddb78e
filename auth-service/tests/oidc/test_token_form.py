"""The form of the token endpoint, as strangers fill it in."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from jose import jws

from auth_service.service_accounts.public_keys import ASSERTION_TYPE
from castor_chassis.testing import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")
GRANTS = ("authorization_code", "refresh_token", "client_credentials")


@pytest.mark.parametrize("path", ["/v1/auth/oidc/token", "/v1/auth/token"])
@pytest.mark.parametrize("grant", GRANTS)
async def test_characters_that_no_id_has_are_refused(auth: RunningService, path: str, grant: str) -> None:
    """In the form and in the Basic header, in the id of the client and in every other field: never an outage."""
    form = {"grant_type": grant, "audience": "twitter-service", "client_id": "castor-console", "code": "x"}
    basic = {"Authorization": "Basic " + base64.b64encode(b"%00:x").decode()}
    tries: list[tuple[dict[str, Any], dict[str, str]]] = [
        ({**form, "client_id": "\x00"}, {}),
        ({name: form[name] for name in form if name != "client_id"}, basic),
        *(({**form, name: "a\x00b"}, {}) for name in ("grant_type", "client_id", "client_secret", "scope")),
    ]
    for data, headers in tries:
        refused = await auth.client.post(path, data=data, headers=headers)
        assert refused.status_code in (400, 401), refused.text
        assert refused.json()["error"].startswith(("invalid_", "unsupported_")), refused.text


@pytest.mark.parametrize("claimed", ["\\ud800", "\\u0000", "castor-account-000000000000"])
async def test_an_assertion_may_claim_any_client(auth: RunningService, claimed: str) -> None:
    """Also one that no text can name: it is as unknown as any other."""
    assertion = jws.sign(f'{{"iss": "{claimed}", "sub": "{claimed}"}}'.encode(), "secret", algorithm="HS256")
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
    }
    refused = await auth.client.post("/v1/auth/oidc/token", data=form)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client"), refused.text
