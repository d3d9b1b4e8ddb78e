"""Analyses of trends reach rag-service: none is lost, none stays that counts what was erased."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import AsyncMock

import pytest

from castor_chassis import Peer, PeerRejected, PeerUnavailable, Postgres
from castor_chassis.client.peer import PeerPolicy
from castor_chassis.testing import Authority, ScriptedPeer, until
from castor_chassis.tls import TlsIdentity
from trending_service.analyses.repository import AnalysisRepository
from trending_service.analyses.worker import AnalysisWriter
from trending_service.clients.rag import DOCUMENTS, RagClient
from trending_service.topics.finder import Finder
from trending_service.tracking.repository import TrendRepository
from trending_service.tracking.service import Tracker

if TYPE_CHECKING:
    from conftest import Fill, Run, Stream

NOON = datetime(2022, 5, 29, 12, tzinfo=UTC)
AWAY = (503, {"ok": False, "error": "down", "code": "unavailable"}, {})
REFUSED = (422, {"ok": False, "error": "too strange", "code": "validation_error"}, {})


async def _ready() -> None:
    return None


def _stored(peer: ScriptedPeer) -> list[dict[str, Any]]:
    """Return the documents that arrived, with the organisation of each."""
    bodies = [json.loads(call.body) for call in peer.calls if call.method == "POST" and call.path == DOCUMENTS]
    return [{**document, "organisation": body["organisation"]} for body in bodies for document in body["documents"]]


@pytest.fixture
async def rag(authority: Authority, tmp_path: Path) -> AsyncIterator[ScriptedPeer]:
    """A rag-service that stores everything, and has no document to erase."""
    peer = ScriptedPeer()
    peer.reply(DOCUMENTS, {"ids": ["x"], "created": 1, "updated": 0, "unchanged": 0})
    async with peer.listening(authority.write(tmp_path / "rag", "rag-service")):
        yield peer


@pytest.fixture
async def writer(
    postgres: Postgres, finder: Finder, rag: ScriptedPeer, authority: Authority, tmp_path: Path
) -> AsyncIterator[AnalysisWriter]:
    """Writes for two organisations; a call is made once, and no breaker opens."""
    tls = TlsIdentity(authority.write(tmp_path / "own", "trending-service"))
    peer = Peer("rag-service", rag.url, policy=PeerPolicy(attempts=1, fail_max=100), tls=tls)
    yield AnalysisWriter(
        AnalysisRepository(postgres), RagClient(peer), ("default", "redaccion"), finder.method.zone, _ready
    )
    await peer.close()


@pytest.fixture
def tracker(finder: Finder, postgres: Postgres) -> Tracker:
    """Follows the whole stream when it is told to."""
    return Tracker(finder, TrendRepository(postgres))


async def _rise(stream: Stream, fill: Fill) -> list[dict[str, Any]]:
    """Store weeks of usual tweets and a topic of 14 accounts in the last 40 minutes; return the topic's tweets."""
    for hour in range(1, 29 * 24, 3):
        stream.tweet(NOON - timedelta(hours=hour), f"a{hour % 30}", f"agua luz vereda{hour} calle{hour}")
    rising = [
        stream.tweet(NOON - timedelta(minutes=3 * number + 1), f"v{number}", f"#Educación barrio{letter}")
        for number, letter in enumerate("abcdefghijklmn")
    ]
    await fill(stream.changes)
    return rising


async def _due_now(postgres: Postgres) -> None:
    """Let the time pass for which a trend is taken."""
    await postgres.execute("UPDATE trends SET analysis_claimed_until = now()")


async def test_a_trend_is_told_when_it_starts_and_ends(
    writer: AnalysisWriter, tracker: Tracker, rag: ScriptedPeer, stream: Stream, fill: Fill
) -> None:
    """One document for each organisation, under one id, replaced when it has ended; between these nothing is sent."""
    await _rise(stream, fill)
    await tracker.follow("", NOON)
    assert await writer.write_due() == 1
    await tracker.follow("", NOON + timedelta(minutes=1))
    assert await writer.write_due() == 0
    await tracker.follow("", NOON + timedelta(hours=9))
    assert await writer.write_due() == 1
    sent = _stored(rag)
    assert [one["organisation"] for one in sent] == ["default", "redaccion"] * 2
    assert len({one["id"] for one in sent}) == 1
    assert (sent[0]["title"], sent[0]["source"]) == ("Tendencia: #Educación", "tendencias")
    assert "14 tuits de 14 cuentas" in sent[0]["text"]
    assert "La hora con más tuits, 14, comenzó el 29 de mayo de 2022 a las 06:00." in sent[0]["text"]
    assert [one["metadata"]["ended"] for one in sent] == [False, False, True, True]
    named = {change[name] for change in stream.changes for name in ("username", "id")} - {"v1"}
    assert named.isdisjoint(re.findall(r"\w+", json.dumps(sent[0])))


async def test_figures_of_a_trend_that_goes_on_are_told_again_within_the_hour(
    writer: AnalysisWriter, tracker: Tracker, rag: ScriptedPeer, stream: Stream, fill: Fill, postgres: Postgres
) -> None:
    """What was told at its start is not all that is known of it until it ends."""
    await _rise(stream, fill)
    await tracker.follow("", NOON)
    await writer.write_due()
    stream.tweet(NOON + timedelta(minutes=1), "nueva", "#Educación para todas")
    await fill(stream.changes)
    await tracker.follow("", NOON + timedelta(minutes=2))
    await postgres.execute("UPDATE trends SET analysis_due_at = analysis_due_at - interval '1 hour'")
    assert await writer.write_due() == 1
    assert "15 tuits de 15 cuentas" in _stored(rag)[-1]["text"]


async def test_while_rag_service_is_away_nothing_is_lost(
    writer: AnalysisWriter, tracker: Tracker, rag: ScriptedPeer, stream: Stream, fill: Fill, postgres: Postgres
) -> None:
    """What could not be stored stays due, is counted as waiting, and arrives later."""
    await _rise(stream, fill)
    await tracker.follow("", NOON)
    rag.script = [AWAY]
    with pytest.raises(PeerUnavailable):
        await writer.write_due()
    assert await writer.analyses.waiting() == 1
    assert await writer.write_due() == 0
    await _due_now(postgres)
    assert await writer.write_due() == 1
    assert await writer.analyses.waiting() == 0


async def test_a_trend_that_changes_meanwhile_is_told_again(
    writer: AnalysisWriter, tracker: Tracker, stream: Stream, fill: Fill
) -> None:
    """What was taken before the trend ended does not settle its end."""
    await _rise(stream, fill)
    await tracker.follow("", NOON)
    taken = await writer.analyses.claim(60)
    assert taken is not None
    await tracker.follow("", NOON + timedelta(hours=9))
    await writer.analyses.settle(taken, 3600)
    assert await writer.analyses.waiting() == 1


async def test_whoever_took_too_long_leaves_no_old_figures(
    writer: AnalysisWriter, tracker: Tracker, rag: ScriptedPeer, stream: Stream, fill: Fill, postgres: Postgres
) -> None:
    """What it stored last counts erased tweets: the trend is told once more, whatever was settled meanwhile."""
    rising = await _rise(stream, fill)
    await tracker.follow("", NOON)
    await tracker.follow("", NOON + timedelta(hours=9))
    slow = await writer.analyses.claim(60)
    assert slow is not None
    await fill([stream.change(id=rising[0]["id"], deleted=True)])
    assert await writer.write_due() == 0
    await _due_now(postgres)
    assert await writer.write_due() == 1
    await writer.analyses.settle(slow, 3600)
    assert await writer.write_due() == 1
    assert "13 tuits de 13 cuentas" in _stored(rag)[-1]["text"]
    assert await writer.analyses.waiting() == 0


async def test_whoever_took_too_long_takes_nothing_from_the_next(
    writer: AnalysisWriter, tracker: Tracker, stream: Stream, fill: Fill, postgres: Postgres
) -> None:
    """What the slow one makes due waits until the next is done, so that they do not do so to each other for good."""
    await _rise(stream, fill)
    await tracker.follow("", NOON)
    slow = await writer.analyses.claim(60)
    await _due_now(postgres)
    next_one = await writer.analyses.claim(60)
    assert slow is not None
    assert next_one is not None
    await writer.analyses.settle(slow, 3600)
    assert await writer.write_due() == 0
    await writer.analyses.settle(next_one, 3600)
    assert await writer.write_due() == 1
    assert await writer.analyses.waiting() == 0


@pytest.mark.parametrize("is_taken", [False, True])
async def test_a_trend_that_returned_tells_the_document(
    is_taken: bool,
    writer: AnalysisWriter, tracker: Tracker, rag: ScriptedPeer, stream: Stream, fill: Fill, postgres: Postgres,
) -> None:  # fmt: skip
    """Of two rows with one id of a document the later one tells it, also when the earlier one is told meanwhile."""
    await _rise(stream, fill)
    await tracker.follow("", NOON)
    earlier = await writer.analyses.claim(60) if is_taken else None
    columns = "scope, key, name, started_at, last_seen_at, peak_at, peak_rate, topic, analysis_due_at"
    await postgres.execute(f"INSERT INTO trends ({columns}) SELECT {columns} FROM trends")
    await postgres.execute("UPDATE trends SET ended_at = last_seen_at WHERE id = (SELECT min(id) FROM trends)")
    assert await writer.write_due() == 1
    if earlier is not None:
        await writer.analyses.settle(earlier, 3600)
        assert await writer.write_due() == 1
    assert {one["metadata"]["ended"] for one in _stored(rag)} == {False}
    assert await writer.analyses.waiting() == 0


async def test_what_is_erased_leaves_the_analysis(
    writer: AnalysisWriter, tracker: Tracker, rag: ScriptedPeer, stream: Stream, fill: Fill
) -> None:
    """Tweets that are erased are counted no more; where too few accounts are left, the analysis is withdrawn."""
    rising = await _rise(stream, fill)
    await tracker.follow("", NOON)
    await tracker.follow("", NOON + timedelta(hours=9))
    await writer.write_due()
    await fill([stream.change(id=change["id"], deleted=True) for change in rising[:4]])
    assert await writer.write_due() == 1
    assert "10 tuits de 10 cuentas" in _stored(rag)[-1]["text"]
    before = len(rag.calls)
    await fill([stream.change(id=change["id"], deleted=True) for change in rising[4:12]])
    assert await writer.write_due() == 1
    erased = rag.calls[before:]
    assert [(call.method, call.query["organisation"]) for call in erased] == [
        ("DELETE", "default"), ("DELETE", "redaccion")
    ]  # fmt: skip
    assert {call.path for call in erased} == {f"{DOCUMENTS}/{_stored(rag)[-1]['id']}"}


async def test_a_tweet_of_another_time_changes_nothing(
    writer: AnalysisWriter, tracker: Tracker, stream: Stream, fill: Fill
) -> None:
    """Only trends in whose time an erased tweet lies are counted again."""
    await _rise(stream, fill)
    await tracker.follow("", NOON)
    await writer.write_due()
    await fill([stream.change(id=stream.changes[0]["id"], deleted=True)])
    assert await writer.analyses.waiting() == 0


async def test_a_refused_analysis_holds_up_no_other(
    writer: AnalysisWriter, tracker: Tracker, rag: ScriptedPeer, stream: Stream, fill: Fill
) -> None:
    """It is given up, since it would be refused again."""
    await _rise(stream, fill)
    await tracker.follow("", NOON)
    rag.script = [REFUSED]
    assert await writer.write_due() == 1
    assert await writer.analyses.waiting() == 0


async def test_a_refused_token_is_no_refused_analysis(
    writer: AnalysisWriter, tracker: Tracker, rag: ScriptedPeer, stream: Stream, fill: Fill
) -> None:
    """An auth-service of before the grant does not know the audience: the analysis waits for the next one."""
    await _rise(stream, fill)
    await tracker.follow("", NOON)
    refused = PeerRejected(peer="auth-service", peer_status=422, peer_error="no such audience", peer_code="x")
    writer.rag._peer._tokens = AsyncMock(side_effect=refused)
    with pytest.raises(PeerRejected):
        await writer.write_due()
    assert await writer.analyses.waiting() == 1
    assert not _stored(rag)


async def test_trends_of_a_watched_scope_are_not_told(
    writer: AnalysisWriter, tracker: Tracker, stream: Stream, fill: Fill
) -> None:
    """They would tell everybody what somebody watches."""
    await _rise(stream, fill)
    for number, change in enumerate(list(stream.changes)[-14:]):
        stream.change(**{**change, "places": ["cali"], "text": f"#Educación barrio{number}"})
    await fill(stream.changes)
    await tracker.follow("place:cali", NOON)
    assert await writer.analyses.waiting() == 0


async def test_the_service_writes_analyses_where_it_is_told_to(
    running: Run, twitter: ScriptedPeer, tracker: Tracker, stream: Stream, fill: Fill
) -> None:
    """With an address and an organisation it does; without one, or with none, rag-service is never called."""
    twitter.reply(DOCUMENTS, {"ids": ["x"]})
    await _rise(stream, fill)
    await tracker.follow("", NOON)
    kept = {"event_retention_days": 36_500}
    for off in ({}, {"rag_url": twitter.url, "analysis_organisations": ""}):
        async with running(**kept, **off) as service:
            status = await service.client.get("/v1/trending/status")
            assert status.status_code == 200
            assert _stored(twitter) == []
    async with running(**kept, rag_url=twitter.url, analysis_organisations="redaccion"):

        async def is_stored() -> bool:
            return bool(_stored(twitter))

        await until(is_stored)
    assert {one["organisation"] for one in _stored(twitter)} == {"redaccion"}
