"""Analyses of forecasts reach rag-service, and none is lost."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import pytest

from castor_chassis import Peer, PeerRejected, PeerUnavailable, Postgres
from castor_chassis.client.peer import PeerPolicy
from castor_chassis.testing import Authority, RunningService, ScriptedPeer
from castor_chassis.tls import TlsIdentity
from forecast_service.analyses.repository import AnalysisRepository
from forecast_service.analyses.worker import AnalysisWriter
from forecast_service.clients.rag import DOCUMENTS, RagClient
from forecast_service.clients.twitter import TwitterClient
from forecast_service.forecasts.model import PredictedDay, Prediction
from forecast_service.forecasts.repository import PredictionRepository

DAY = PredictedDay(date(2026, 5, 30), 41.0, 38.5, 43.5)
PREDICTION = Prediction(32 * "a", "ana", datetime(2026, 5, 30, 15, tzinfo=UTC), 41.25, 90, "ensemble", 0.1, 0.8, [DAY])


async def _ready() -> None:
    return None


def _stored(peer: ScriptedPeer) -> list[tuple[str, dict[str, Any]]]:
    """Return the organisation and the document of each request that stored one."""
    bodies = [json.loads(call.body) for call in peer.calls if call.path == DOCUMENTS]
    return [(body["organisation"], document) for body in bodies for document in body["documents"]]


@pytest.fixture
async def rag(authority: Authority, tmp_path: Path) -> AsyncIterator[ScriptedPeer]:
    """rag-service, and a twitter-service that knows one name."""
    peer = ScriptedPeer()
    peer.reply(DOCUMENTS, {"ids": ["x"], "created": 1, "updated": 0, "unchanged": 0})
    peer.reply("/v1/twitter/entities/ana", {"name": "Ana Álvarez"})
    async with peer.listening(authority.write(tmp_path / "rag", "rag-service")):
        yield peer


@pytest.fixture
async def writer(
    postgres: Postgres, rag: ScriptedPeer, authority: Authority, tmp_path: Path
) -> AsyncIterator[AnalysisWriter]:
    """Writes for two organisations; a call is made once, and no breaker opens."""
    await postgres.execute("DELETE FROM predictions")
    tls = TlsIdentity(authority.write(tmp_path / "own", "forecast-service"))
    peer = Peer("rag-service", rag.url, policy=PeerPolicy(attempts=1, fail_max=100), tls=tls)
    twitter = TwitterClient(peer, timeout_seconds=10)
    yield AnalysisWriter(AnalysisRepository(postgres), RagClient(peer), twitter, ("default", "redaccion"), _ready)
    await peer.close()


async def test_a_new_forecast_is_told_once(writer: AnalysisWriter, rag: ScriptedPeer, postgres: Postgres) -> None:
    """To each organisation, with the entity's name; the same forecast again is no new one."""
    predictions = PredictionRepository(postgres)
    for _ in range(2):
        await predictions.save(PREDICTION, is_told=True)
        await writer.write_due()
    assert [organisation for organisation, _ in _stored(rag)] == ["default", "redaccion"]
    assert "Ana Álvarez" in _stored(rag)[0][1]["title"]
    assert await writer.analyses.waiting() == 0


async def test_while_rag_service_is_away_nothing_is_lost(
    writer: AnalysisWriter, rag: ScriptedPeer, postgres: Postgres
) -> None:
    """What could not be stored stays due, is counted as waiting, and arrives later."""
    await PredictionRepository(postgres).save(PREDICTION, is_told=True)
    rag.routes[DOCUMENTS], works = lambda _: (503, {"ok": False, "error": "down"}, {}), rag.routes[DOCUMENTS]
    with pytest.raises(PeerUnavailable):
        await writer.write_due()
    assert await writer.analyses.waiting() == 1
    rag.routes[DOCUMENTS] = works
    await postgres.execute("UPDATE predictions SET analysis_due_at = now()")
    assert await writer.write_due() == 1
    assert await writer.analyses.waiting() == 0


LATER = replace(PREDICTION, id=32 * "b", as_of=datetime(2026, 5, 31, 4, 59, tzinfo=UTC), icce=43.0)
"""Of the same day in Bogotá, and made after the other."""


async def test_a_forecast_that_waited_replaces_no_later_one(
    writer: AnalysisWriter, rag: ScriptedPeer, postgres: Postgres
) -> None:
    """It was taken while rag-service was away; the one that was made since is what the document tells."""
    predictions = PredictionRepository(postgres)
    await predictions.save(PREDICTION, is_told=True)
    assert await writer.analyses.claim(60) == PREDICTION
    await predictions.save(LATER, is_told=True)
    assert await writer.write_due() == 1
    await postgres.execute("UPDATE predictions SET analysis_due_at = now() WHERE id = $1", PREDICTION.id)
    assert await writer.write_due() == 1
    assert {document["url"] for _, document in _stored(rag)} == {f"/v1/forecast/predictions/{LATER.id}"}
    assert await writer.analyses.waiting() == 0


async def test_a_forecast_that_is_sent_meanwhile_makes_the_later_one_due(
    writer: AnalysisWriter, postgres: Postgres
) -> None:
    """What is being sent may arrive after the later one: that is sent once more."""
    predictions = PredictionRepository(postgres)
    await predictions.save(PREDICTION, is_told=True)
    assert await writer.analyses.claim(60) == PREDICTION
    await predictions.save(LATER, is_told=True)
    assert await writer.write_due() == 1
    await writer.analyses.settle(PREDICTION)
    assert await writer.write_due() == 1
    assert await writer.analyses.waiting() == 0


@pytest.mark.parametrize(
    "other",
    [{"entity": "eva"}, {"dataset": "junio"}, {"as_of": datetime(2026, 5, 31, 5, tzinfo=UTC)}],
    ids=["entity", "dataset", "day"],
)
async def test_a_forecast_of_something_else_replaces_none(
    other: dict[str, Any], writer: AnalysisWriter, rag: ScriptedPeer, postgres: Postgres
) -> None:
    """Of another entity, data set or day; nor does one that is not told."""
    rag.reply("/v1/twitter/entities/eva", {"name": "Eva"})
    predictions = PredictionRepository(postgres)
    await predictions.save(PREDICTION, is_told=True)
    await predictions.save(replace(LATER, **other), is_told=True)
    await predictions.save(replace(LATER, id=32 * "c"), is_told=False)
    assert await writer.write_due() == 2


async def test_a_refused_analysis_holds_up_no_other(
    writer: AnalysisWriter, rag: ScriptedPeer, postgres: Postgres
) -> None:
    """It is given up, since it would be refused again."""
    await PredictionRepository(postgres).save(PREDICTION, is_told=True)
    rag.routes[DOCUMENTS] = lambda _: (422, {"ok": False, "error": "too strange", "code": "validation_error"}, {})
    assert await writer.write_due() == 1
    assert await writer.analyses.waiting() == 0


async def test_a_refused_token_is_no_refused_analysis(
    writer: AnalysisWriter, rag: ScriptedPeer, postgres: Postgres
) -> None:
    """An auth-service of before the grant does not know the audience: the analysis waits for the next one."""
    await PredictionRepository(postgres).save(PREDICTION, is_told=True)
    refused = PeerRejected(peer="auth-service", peer_status=422, peer_error="no such audience", peer_code="x")
    writer.rag._peer._tokens = AsyncMock(side_effect=refused)
    with pytest.raises(PeerRejected):
        await writer.write_due()
    assert await writer.analyses.waiting() == 1
    assert not _stored(rag)


async def test_only_forecasts_by_the_default_method_are_told(service: RunningService, postgres: Postgres) -> None:
    """Somebody who chooses a method writes nothing that others read."""
    body = {"entity": "ana", "as_of": "2026-05-30T15:00:00Z"}
    await postgres.execute("DELETE FROM predictions")
    for method, due in (("naive", 0), ("auto", 1)):
        made = await service.client.post("/v1/forecast/predictions", json={**body, "method": method})
        assert made.status_code == 201, made.text
        assert await AnalysisRepository(postgres).waiting() == due
