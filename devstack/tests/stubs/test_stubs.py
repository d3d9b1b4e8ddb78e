"""Stubs: what they answer is what the contract says, what the clients read, and a feed that ends."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from castor_chassis.client.operation import Operation
from castor_chassis.client.transport import httpx
from castor_chassis.testing import Authority, until
from castor_devstack.errors import DevstackError
from castor_devstack.stack.ports import PortLeases
from castor_devstack.stack.services import SERVICES
from castor_devstack.stubs.contract import StubbedContract, read_contract
from castor_devstack.stubs.examples import FIRST_PAGE, example

NAMES = [service.name for service in SERVICES]
CLIENTS = [
    (peer, operation)
    for service in SERVICES
    for peer in service.peers
    for operation in importlib.import_module(f"{service.package}.clients.{peer.removesuffix('-service')}").OPERATIONS
]


def answers_of(service: str) -> Any:
    """Yield (label, schema, document) of the JSON answers of a contract."""
    document = read_contract(service)
    for path, item in document["paths"].items():
        for method, operation in item.items():
            for status, response in operation["responses"].items():
                media = response.get("content", {}).get("application/json")
                if status.startswith("2") and media:
                    yield f"{method} {path}", media["schema"], document


@pytest.mark.parametrize("service", NAMES)
def test_every_example_is_valid(service: str) -> None:
    """Of each operation: the example is an instance of the schema that it was made of."""
    found = list(answers_of(service))
    assert found
    for label, schema, document in found:
        validator = jsonschema_rs.Draft202012Validator({**schema, "components": document["components"]})
        problems = [error.message for error in validator.iter_errors(example(schema, document))]
        assert not problems, (label, problems)


@pytest.mark.parametrize(("peer", "operation"), CLIENTS, ids=lambda each: getattr(each, "path", each))
def test_every_client_reads_its_stub(peer: str, operation: Operation) -> None:
    """What a service reads of a peer it can read of the peer's stub."""
    answer = StubbedContract(peer).answer(operation.method, operation.path, {})
    assert answer.status < 300, answer
    if operation.reads is not None and answer.media_type == "application/json":
        value = json.loads(answer.body)
        assert operation.reads.model_validate(value.get("data", value) if "ok" in value else value)


def test_a_feed_has_one_page() -> None:
    """After it there is nothing, so that a follower does not read it for ever; another path is a 404."""
    twitter = StubbedContract("twitter-service")
    first, after = (
        json.loads(twitter.answer("GET", "/v1/twitter/tweets/feed", {"after": after}).body)
        for after in ("0", FIRST_PAGE)
    )
    assert (len(first["data"]["items"]), first["meta"]["next_cursor"]) == (1, FIRST_PAGE)
    assert after["data"]["items"] == []
    assert twitter.answer("GET", "/v1/twitter/nothing", {}).status == 404
    with pytest.raises(DevstackError, match="checkout"):
        StubbedContract("no-service")


async def test_a_stub_speaks_mutual_tls(authority: Authority, tmp_path: Path, test_ports: PortLeases) -> None:
    """It has the identity of its service, and answers callers of the authority only."""
    own, caller = authority.write(tmp_path / "own", "sentiment-service"), authority.write(tmp_path / "c", "ingress")
    port = test_ports.choose({"api": 0})["api"]
    environment = {
        **os.environ, "API_PORT": str(port), "TLS_CERT_FILE": str(own.certificate), "TLS_KEY_FILE": str(own.key),
        "TLS_CA_FILE": str(own.authorities),
    }  # fmt: skip
    command = (sys.executable, "-m", "castor_devstack.stubs", "sentiment-service")
    stub = await asyncio.create_subprocess_exec(*command, env=environment)
    try:
        async with httpx.AsyncClient(verify=caller.client_context(), trust_env=False) as client:
            url = f"https://127.0.0.1:{port}/v1/sentiment/model"

            async def answered() -> bool:
                try:
                    return (await client.get(url)).headers["x-castor-stub"] == "true"
                except httpx.TransportError:
                    return False

            await until(answered)
        stranger = Authority.create().write(tmp_path / "stranger", "ingress")
        async with httpx.AsyncClient(verify=stranger.client_context(), trust_env=False) as client:
            with pytest.raises(httpx.TransportError):
                await client.get(url)
    finally:
        stub.terminate()
        await stub.wait()
