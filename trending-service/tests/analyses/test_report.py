"""What is told of a trend: its figures in Spanish, and nothing by which a person could be found."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from trending_service.analyses.model import Figures
from trending_service.analyses.report import LEAST_ACCOUNTS, analysis_of
from trending_service.tracking.model import Trend

BOGOTA = ZoneInfo("America/Bogota")
HOUR = datetime(2022, 5, 29, 20, tzinfo=UTC)
BEGAN = datetime(2022, 5, 29, 19, 5, 12, tzinfo=UTC)
TREND = Trend(
    7, "", "#cierre", "#Cierre", BEGAN, BEGAN + timedelta(hours=4), BEGAN + timedelta(hours=1), 1250.4, True,
    BEGAN + timedelta(hours=5), {"id": "abc", "coordination": {"accounts": 8, "tweets": 24}},
)  # fmt: skip
FIGURES = Figures(
    tweets=1812, accounts=640, positive=100, neutral=200, negative=300, busiest_at=HOUR, busiest_tweets=1250
)


def test_figures_are_told_in_local_time() -> None:
    """Each sentence is a figure that was counted; numbers and times as in Colombia."""
    analysis = analysis_of(TREND, FIGURES, BOGOTA)
    assert analysis is not None
    assert analysis.title == "Tendencia: #Cierre"
    assert analysis.text == (
        "«#Cierre» fue tendencia desde el 29 de mayo de 2022 a las 14:05 hasta las 18:05 (hora de Bogotá). "
        "En ese tiempo lo nombraron 1.812 tuits de 640 cuentas. "
        "La hora con más tuits, 1.250, comenzó el 29 de mayo de 2022 a las 15:00. "
        "De los 600 con tono estimado por un clasificador automático: 100 positivos, 200 neutrales, 300 negativos. "
        "En las últimas 6 horas, 8 cuentas con indicios de coordinación escribieron 24 de sus tuits."
    )
    assert (analysis.url, analysis.published_at) == ("/v1/trending/topics/abc", TREND.last_seen_at)
    assert (analysis.metadata["kind"], analysis.metadata["tweets"], analysis.metadata["ended"]) == ("trend", 1812, True)


def test_what_is_not_known_is_not_told() -> None:
    """Without labels there is no tone, without a group no suspicion; a trend that goes on has not ended."""
    going_on = replace(TREND, ended_at=None, last_seen_at=BEGAN + timedelta(days=1), topic={})
    analysis = analysis_of(going_on, Figures(5, 5, 0, 0, 0, None, 0), BOGOTA)
    assert analysis is not None
    assert "hasta el 30 de mayo de 2022 a las 14:05 (hora de Bogotá). Entonces todavía lo era." in analysis.text
    assert "tono" not in analysis.text
    assert "coordinación" not in analysis.text
    assert analysis.url is None


def test_of_too_few_accounts_nothing_is_told() -> None:
    """Two accounts that were left over after an erasure could be recognised."""
    assert analysis_of(TREND, replace(FIGURES, accounts=LEAST_ACCOUNTS - 1), BOGOTA) is None
    assert analysis_of(TREND, replace(FIGURES, accounts=LEAST_ACCOUNTS), BOGOTA) is not None


def test_one_trend_has_one_id() -> None:
    """Of a trend that goes on and then ends the same, in whatever row it is; of another topic or start another."""
    ids = [
        made.id
        for trend in (
            TREND, replace(TREND, id=9, ended_at=None), replace(TREND, key="#otro"),
            replace(TREND, started_at=BEGAN + timedelta(days=1)),
        )
        if (made := analysis_of(trend, FIGURES, BOGOTA)) is not None
    ]  # fmt: skip
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
