"""Pictures over real TLS."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from castor_chassis.testing import RunningService, ScriptedPeer

from .test_polls import CSV

AS_OF = "2026-05-30T15:00:00Z"
FORECAST, COMPARISON = "/v1/forecast/entities/ana/chart.svg", "/v1/forecast/compare/chart.svg"
ANA = {"ok": True, "data": {"id": "ana", "name": "Ana Gómez", "colour": "#7A0BC0"}}


async def drawn(service: RunningService, path: str, **params: Any) -> tuple[str, str]:
    """Return the description in the header and the file."""
    answer = await service.client.get(path, params={"as_of": AS_OF, **params}, timeout=60)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    return unquote(answer.headers["chart-description"]), answer.text


async def test_a_forecast_is_drawn_with_its_name_colour_and_worth(
    service: RunningService, twitter: ScriptedPeer
) -> None:
    """Name and colour are those of the entity; the words say values, interval and coverage."""
    twitter.routes["/v1/twitter/entities/ana"] = lambda _call: (200, ANA, {})
    words, svg = await drawn(service, FORECAST)
    made = (await service.client.get("/v1/forecast/entities/ana", params={"as_of": AS_OF})).json()["data"]
    last = made["points"][-1]
    assert "Ana Gómez" in words
    assert f"{last['low']:.1f} a {last['high']:.1f}".replace(".", ",") in words
    assert f"{round(100 * made['coverage'])} %" in words
    assert "no predice votos" in words
    assert "#7a0bc0" in svg.lower()
    root = ElementTree.fromstring(svg)
    assert [one.text for one in root if one.tag.endswith("desc")] == [words]


async def test_without_names_the_ids_stand_in(service: RunningService) -> None:
    """Where twitter-service does not tell the name, the picture comes all the same; English can be chosen."""
    words, _ = await drawn(service, FORECAST, language="en")
    assert words.startswith("Data up to 29 May 2026")
    assert "ana:" in words


async def test_a_comparison_names_who_has_no_forecast(service: RunningService) -> None:
    """Each entity is in the words; with nobody left there is no picture but the reasons."""
    words, _ = await drawn(service, COMPARISON, entity=["ana", "constanza", "vieja"])
    assert "Sin pronóstico: vieja" in words
    assert "constanza:" in words
    nobody = await service.client.get(COMPARISON, params={"entity": ["ana", "vieja"], "as_of": "2026-01-01T00:00:00Z"})
    assert (nobody.status_code, nobody.json()["code"]) == (422, "nothing_to_draw")
    assert "ana: too_few_days" in nobody.json()["error"]


async def test_polls_are_drawn(service: RunningService) -> None:
    """A PNG of posted polls; the words give each average with its band."""
    answer = await service.client.post(
        "/v1/forecast/polls/chart.png", content=CSV, headers={"Content-Type": "text/csv"}, params={"as_of": AS_OF}
    )
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    words = unquote(answer.headers["chart-description"])
    assert "20 encuestas de 2 encuestadoras" in words
    assert "Iván Peña: " in words


@pytest.mark.parametrize("path", ["/v1/forecast/entities/ana/chart.gif", "/v1/forecast/compare/chart.pdf"])
async def test_other_files_are_refused(service: RunningService, path: str) -> None:
    """There is SVG and PNG."""
    answer = await service.client.get(path, params={"entity": ["ana", "vieja"]})
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_error")
