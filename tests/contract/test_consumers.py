"""The consumer check finds what a client uses and its peer does not offer, shown at the edge to auth-service."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, create_model

from castor_chassis.client.operation import Operation
from castor_chassis.security import auth_client
from tools.contracts.consumers import unmet

CONTRACT = Path(__file__).parents[2] / "contracts" / "auth-service.v1.yaml"


@pytest.fixture(scope="module")
def contract() -> dict[str, Any]:
    """What auth-service offers."""
    loaded: dict[str, Any] = yaml.safe_load(CONTRACT.read_text())
    return loaded


def misspelt(model: type[BaseModel], field: str) -> type[BaseModel]:
    """Return ``model`` with another name for one of its fields."""
    fields = {name: (info.annotation, info) for name, info in model.model_fields.items()}
    fields[field + "x"] = fields.pop(field)
    return create_model(model.__name__, **fields)  # type: ignore[call-overload, no-any-return]


@pytest.mark.parametrize("wanted", auth_client.OPERATIONS, ids=lambda wanted: wanted.path)
def test_a_misspelt_operation_of_auth_service_is_found(wanted: Operation, contract: dict[str, Any]) -> None:
    """Another path, method, parameter or field than auth-service has is named; as it stands nothing is."""
    assert unmet(wanted, contract) == []
    path = dataclasses.replace(wanted, path=wanted.path + "s")
    assert unmet(path, contract) == [f"{wanted.method} {wanted.path}s is not offered"]
    assert unmet(dataclasses.replace(wanted, method="PUT"), contract) == [f"PUT {wanted.path} is not offered"]
    for name in wanted.sends:
        sent = tuple(other + "x" if other == name else other for other in wanted.sends)
        assert any(f"does not take '{name}x'" in problem for problem in unmet(_sending(wanted, sent), contract))
    assert wanted.reads is not None
    for name in wanted.reads.model_fields:
        reading = dataclasses.replace(wanted, reads=misspelt(wanted.reads, name))
        assert any(f"does not answer '{name}x'" in problem for problem in unmet(reading, contract))


def _sending(wanted: Operation, sends: tuple[str, ...]) -> Operation:
    return dataclasses.replace(wanted, sends=sends)


def test_a_field_of_one_shape_only_must_have_a_default(contract: dict[str, Any]) -> None:
    """Of an answer with two shapes, what only one has cannot be required: the other would not be readable."""

    class Owner(BaseModel):
        valid: bool
        user_id: str

    reading = dataclasses.replace(auth_client.VERIFY_API_KEY, reads=Owner)
    assert unmet(reading, contract) == ["POST /internal/api-keys/verify does not always answer 'user_id'"]


def test_what_is_required_must_be_sent(contract: dict[str, Any]) -> None:
    """A parameter that the peer requires and the client leaves out is named."""
    problems = unmet(_sending(auth_client.TOKEN, ("grant_type",)), contract)
    assert problems == ["POST /v1/auth/token requires 'audience', which is not sent"]


def test_another_type_is_found(contract: dict[str, Any]) -> None:
    """A field that is answered as something else than it is read as is named."""

    class Batch(BaseModel):
        epoch: str

    problems = unmet(dataclasses.replace(auth_client.REVOCATIONS, reads=Batch), contract)
    assert problems == ["GET /internal/revocations answers 'epoch' as ['integer'], which is read as ['string']"]
