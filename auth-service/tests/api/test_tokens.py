"""The token endpoint and the key set, as HTTP."""

from __future__ import annotations

import pytest

from castor_chassis.testing import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")
FORM = {"grant_type": "client_credentials", "audience": "sentiment-service"}


async def test_unknown_query_parameters_are_refused(auth_for_services: RunningService) -> None:
    """Services, which are not rate limited here, are told of a misspelt parameter like everybody else."""
    client = auth_for_services.client
    answers = [
        await client.get("/v1/auth/jwks?kid=1"),
        await client.post("/v1/auth/token?audience=twitter-service", data=FORM),
        await client.get("/internal/revocations?since=1"),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(422, "validation_error")] * 3
    assert (await client.get("/v1/auth/jwks")).status_code == 200
    assert (await client.post("/v1/auth/token", data=FORM)).status_code == 200
