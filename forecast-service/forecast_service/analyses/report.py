"""What is told of a forecast, in Spanish: its figures with their intervals, its method and what it is worth. No I/O."""

from __future__ import annotations

import hashlib
from typing import Any

from castor_chassis import DAYS_OF, normal_time
from castor_chassis.text.dates import spanish_day
from forecast_service.forecasts.model import PredictedDay, Prediction

SOURCE = "pronosticos"
_ENSEMBLE = "promedio ponderado de modelos de series de tiempo"


def document_of(prediction: Prediction, name: str) -> dict[str, Any]:
    """Return the document for rag-service; ``name`` is the entity's.

    Forecasts of one entity, data set and day have the same id: the one that was made last tells it.
    """
    return {
        "id": _identifier(prediction),
        "source": SOURCE,
        "title": f"Pronóstico del índice de conversación electoral (ICCE) de {name}{_within(prediction)}",
        "text": _text(prediction, name),
        "url": f"/v1/forecast/predictions/{prediction.id}",
        "entities": [prediction.entity],
        "published_at": normal_time(prediction.as_of),
        "metadata": {
            "kind": "forecast",
            "entity": prediction.entity,
            "dataset": prediction.dataset,
            "horizon_days": len(prediction.points),
            "level": prediction.level,
        },
    }


def _identifier(prediction: Prediction) -> str:
    day = prediction.as_of.astimezone(DAYS_OF).date()
    named = f"{prediction.entity}|{prediction.dataset or ''}"
    return f"forecast:{day}:{hashlib.sha256(named.encode()).hexdigest()[:16]}"


def _text(prediction: Prediction, name: str) -> str:
    made = prediction.as_of.astimezone(DAYS_OF).date()
    last = f", con datos hasta el {spanish_day(prediction.last_observed)}" if prediction.last_observed else ""
    head = (
        f"El {spanish_day(made)} se pronosticó el ICCE de {name}{_within(prediction)}{last}; "
        f"entonces era de {_points(prediction.icce)} de 100."
    )
    ends = list(dict.fromkeys([prediction.points[0], prediction.points[-1]]))
    told = [_point(point, prediction.level) for point in ends]
    method = _ENSEMBLE if prediction.method == "ensemble" else prediction.method
    basis = f"Método: {method}, de {prediction.days_observed} días observados."
    return " ".join([head, *told, basis, _skill(prediction.skill), "La conversación no predice votos."])


def _point(point: PredictedDay, level: float) -> str:
    interval = f"intervalo del {round(level * 100)} %: de {_number(point.low)} a {_number(point.high)}"
    return f"Para el {spanish_day(point.date)} se pronostican {_points(point.value)} ({interval})."


def _skill(skill: float | None) -> str:
    if skill is None:
        return "No se sabe cuánto acierta: hay muy pocos días de prueba."
    if skill <= 0:
        return "En pruebas con días pasados no acertó más que repetir el último valor."
    return (
        f"En pruebas con días pasados el error fue un {round(skill * 100)} % menor que el de repetir el último valor."
    )


def _within(prediction: Prediction) -> str:
    return f" en el conjunto de datos «{prediction.dataset}»" if prediction.dataset else ""


def _points(value: float) -> str:
    return f"{_number(value)} puntos"


def _number(value: float) -> str:
    return f"{value:.1f}".replace(".", ",")
