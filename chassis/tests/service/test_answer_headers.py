"""Manners of HTTP that every service has: HEAD, ETag, Location, rate limits on each answer, and refused headers."""

from __future__ import annotations

from pathlib import Path

import pytest

from castor_chassis.testing import Authority, TokenIssuer
from castor_chassis.tls import TlsFiles
from small_service import Running, bearer

ECHO = "/v1/small/echo/a"


@pytest.fixture
def ingress(authority: Authority, tmp_path: Path) -> TlsFiles:
    """The certificate of the ingress, behind which callers from outside are."""
    return authority.write(tmp_path / "ingress", "ingress")


async def test_what_a_caller_has_is_not_sent_again(running: Running, issuer: TokenIssuer, ingress: TlsFiles) -> None:
    """A read has a tag; whoever brings it back gets 304 without a body, and the whole answer after a change."""
    headers = bearer(issuer, "small:read")
    async with running(client=ingress) as service:
        first = await service.client.get(ECHO, headers=headers)
        tag = first.headers["etag"]
        same = await service.client.get(ECHO, headers={**headers, "If-None-Match": f'"old", {tag}'})
        other = await service.client.get("/v1/small/echo/b", headers={**headers, "If-None-Match": tag})
    assert first.status_code == other.status_code == 200
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    assert other.headers["etag"] != tag


async def test_services_among_themselves_get_no_tags(running: Running, issuer: TokenIssuer) -> None:
    """They keep no answers, so none is hashed for them."""
    async with running() as service:
        answer = await service.client.get(ECHO, headers=bearer(issuer, "small:read"))
    assert "etag" not in answer.headers


async def test_head_is_get_without_its_body(running: Running, issuer: TokenIssuer, ingress: TlsFiles) -> None:
    """HEAD answers with the headers of GET; where there is no GET, and without a token, it is refused like one."""
    headers = bearer(issuer, "small:read")
    async with running(client=ingress) as service:
        got = await service.client.get(ECHO, headers=headers)
        head = await service.client.head(ECHO, headers=headers)
        refused = await service.client.head(ECHO)
        missing = await service.client.head("/v1/small/things")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(got.content))
    assert head.headers["etag"] == got.headers["etag"]
    assert (refused.status_code, missing.status_code) == (401, 405)


async def test_a_creation_says_where_the_thing_is(running: Running, issuer: TokenIssuer) -> None:
    """A 201 names the address of what was created where the service has a route for it."""
    async with running() as service:
        made = await service.client.post("/v1/small/things", json={"value": 7}, headers=bearer(issuer, "small:write"))
        found = await service.client.delete(made.headers["location"], headers=bearer(issuer, "small:write"))
    assert made.status_code == 201
    assert found.json()["data"] == made.json()["data"]["id"]


async def test_every_limited_answer_says_what_is_left(running: Running, issuer: TokenIssuer, redis_url: str) -> None:
    """Successes, refusals and the answer that is one too many carry the limit, once each."""
    headers = bearer(issuer, "small:read")
    async with running(redis_url=redis_url, rate_limit="2/minute") as service:
        answers = [await service.client.get(ECHO, headers=headers, params=each) for each in ({}, {"x": 1}, {})]
    assert [answer.status_code for answer in answers] == [200, 422, 429]
    assert [answer.headers.get_list("ratelimit-remaining") for answer in answers] == [["1"], ["0"], ["0"]]
    assert {answer.headers["ratelimit-limit"] for answer in answers} == {"2"}
    assert all(0 < int(answer.headers["ratelimit-reset"]) <= 60 for answer in answers)


@pytest.mark.parametrize(("given", "named"), [("text/plain", "text/plain"), ("", "none")])
async def test_a_body_of_another_type_is_refused(running: Running, issuer: TokenIssuer, given: str, named: str) -> None:
    """A body that is not said to be JSON is 415 where JSON is read, and the sentence names both types."""
    headers = {**bearer(issuer, "small:write"), **({"Content-Type": given} if given else {})}
    async with running() as service:
        answer = await service.client.post(ECHO, content=b'{"value": 1}', headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert f"is {named}, and this route reads application/json" in answer.json()["error"]


async def test_a_promise_that_nobody_keeps_is_refused(running: Running, issuer: TokenIssuer) -> None:
    """An Idempotency-Key is refused where the route does not know it; its caller would rely on it."""
    headers = {**bearer(issuer, "small:write"), "Idempotency-Key": "k-1"}
    async with running() as service:
        refused = await service.client.post(ECHO, json={"value": 1}, headers=headers)
        taken = await service.client.post("/v1/small/things", json={"value": 1}, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (400, "idempotency_unsupported")
    assert taken.status_code == 201


async def test_sentences_have_no_patterns_and_name_the_field(running: Running, issuer: TokenIssuer) -> None:
    """A value of a wrong form is described in words; a refused parameter stands in details.fields like any other."""
    headers = bearer(issuer, "small:write")
    async with running() as service:
        pattern = await service.client.delete("/v1/small/things/a b", headers=headers)
        query = await service.client.delete("/v1/small/things/a", params={"sinze": "1"}, headers=headers)
    assert "^" not in pattern.json()["error"]
    assert "letters without accents" in pattern.json()["error"]
    assert query.json()["details"]["fields"][0]["field"] == "query.sinze"


@pytest.mark.parametrize(
    ("accepted", "size", "encoding"),
    [
        ("gzip, br", 2000, "gzip"),
        ("*", 2000, "gzip"),
        ("gzip;q=0, *", 2000, None),
        ("br", 2000, None),
        ("gzip", 100, None),
    ],
)
async def test_long_answers_are_packed_where_the_caller_can_read_it(
    running: Running, issuer: TokenIssuer, accepted: str, size: int, encoding: str | None, ingress: TlsFiles
) -> None:
    """JSON from COMPRESS_MIN_BYTES on is packed for whoever accepts gzip; the tag is that of the answer as it is."""
    headers = {**bearer(issuer, "small:read"), "Accept-Encoding": accepted}
    async with running(client=ingress, compress_min_bytes=1024) as service:
        answer = await service.client.get(f"/v1/small/echo/{'a' * size}", headers=headers)
        plain = await service.client.get(f"/v1/small/echo/{'a' * size}", headers={**headers, "Accept-Encoding": "br"})
    assert answer.json() == plain.json()
    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["etag"] == plain.headers["etag"]
    assert ("accept-encoding" in answer.headers.get("vary", "").lower()) == (size > 1024)
