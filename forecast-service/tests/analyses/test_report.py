"""What is told of a forecast."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from forecast_service.analyses.report import document_of
from forecast_service.forecasts.model import PredictedDay, Prediction

PREDICTION = Prediction(
    id=32 * "a",
    entity="ana",
    as_of=datetime(2026, 5, 30, 3, tzinfo=UTC),
    icce=41.25,
    days_observed=90,
    method="ensemble",
    skill=0.12,
    level=0.8,
    points=[PredictedDay(date(2026, 5, 29), 41.04, 38.5, 43.5), PredictedDay(date(2026, 6, 11), 43.0, 30.0, 50.0)],
    last_observed=date(2026, 5, 28),
)


def test_figures_come_with_their_intervals_and_their_worth() -> None:
    """Numbers and days as in Colombia: the day of the forecast is that of Bogotá."""
    document = document_of(PREDICTION, "Ana Álvarez")
    assert document["title"] == "Pronóstico del índice de conversación electoral (ICCE) de Ana Álvarez"
    assert document["text"] == (
        "El 29 de mayo de 2026 se pronosticó el ICCE de Ana Álvarez, con datos hasta el 28 de mayo de 2026; entonces "
        "era de 41,2 puntos de 100. "
        "Para el 29 de mayo de 2026 se pronostican 41,0 puntos (intervalo del 80 %: de 38,5 a 43,5). "
        "Para el 11 de junio de 2026 se pronostican 43,0 puntos (intervalo del 80 %: de 30,0 a 50,0). "
        "Método: promedio ponderado de modelos de series de tiempo, de 90 días observados. "
        "En pruebas con días pasados el error fue un 12 % menor que el de repetir el último valor. "
        "La conversación no predice votos."
    )
    assert document["url"] == f"/v1/forecast/predictions/{PREDICTION.id}"
    assert (document["entities"], document["metadata"]["dataset"]) == (["ana"], None)


def test_a_forecast_without_skill_says_so() -> None:
    """Neither a missing nor a negative skill reads as a good one; one day is told once."""
    alone = replace(PREDICTION, points=PREDICTION.points[:1], last_observed=None)
    without = document_of(replace(alone, skill=-0.3), "Ana")["text"]
    assert "no acertó más que repetir el último valor" in without
    assert without.count("se pronostican") == 1
    assert "No se sabe cuánto acierta" in document_of(replace(alone, skill=None), "Ana")["text"]


def test_a_day_of_an_entity_and_a_data_set_has_one_id() -> None:
    """Another forecast of the same day replaces it; another day, entity or data set does not."""
    same = (PREDICTION, replace(PREDICTION, id=32 * "b", as_of=PREDICTION.as_of - timedelta(hours=5)))
    others = (
        replace(PREDICTION, as_of=PREDICTION.as_of + timedelta(days=1)), replace(PREDICTION, entity="eva"),
        replace(PREDICTION, dataset="norte"),
    )  # fmt: skip
    assert len({document_of(one, "Ana")["id"] for one in same}) == 1
    assert len({document_of(one, "Ana")["id"] for one in (PREDICTION, *others)}) == 4
    assert "en el conjunto de datos «norte»" in document_of(others[2], "Ana")["title"]
