"""What the report says about its method and its limits."""

from __future__ import annotations

from typing import Any

from castor_devstack.job.html.markup import element, text

NOTES = {
    "topics_of_all_data_sets": "Los temas se calcularon con todos los tuits guardados, no solo con este conjunto.",
    "volume_not_known": "Cuánto se escribió cada día no se calculó: no se sigue a nadie y el periodo pasa de un año.",
    "answer_of_all_data_sets": "La respuesta cita de todos los tuits guardados del periodo, no solo de este conjunto.",
}
DEGRADED = "Sin modelo de lenguaje: la respuesta son citas literales."
REFUSED = {
    "too_few_days": "Sin pronóstico: hay muy pocos días con datos.",
    "data_too_old": "Sin pronóstico: los últimos datos están lejos del final del periodo.",
}
FORECAST_NOTES = {
    "no_skill": "Ningún método acertó más que repetir el último valor; el pronóstico es ese valor.",
    "skill_unknown": "No se sabe cuánto acierta.",
    "stale": "Faltan datos de los últimos días.",
}
METHOD = (
    "<b>Días.</b> Son los de Bogotá (UTC−5). «Esta semana» son los últimos siete días del periodo.",
    "<b>Quién cuenta.</b> Un tuit cuenta para quien lo escribe y para quien menciona: por cuenta, etiqueta o nombre.",
    "<b>Sentimiento.</b> Un modelo clasifica cada texto como positivo, neutro o negativo ({model}). Se equivoca, sobre "
    "todo con la ironía; su ficha dice cuánto.",
    "<b>ISN</b> = (positivos − negativos) / evaluados, de −1 a 1. <b>ICR</b> = tuits del candidato / todos los tuits. "
    "<b>ICCE</b> = 100 × (0,5 × (ISN + 1) / 2 + 0,5 × ICR). El de la semana se calcula con las sumas de sus días, "
    "así que cada tuit pesa igual.",
    "<b>Voz</b> = tuits del candidato / suma de los tuits de todos los seguidos.",
    "<b>Intervalos.</b> Del 95 %, por el número de tuits, como si fueran independientes. Los textos copiados y las "
    "campañas organizadas hacen que el error real sea mayor. «Sin cambio seguro»: el intervalo incluye el 0. "
    "«Pocos tuits»: menos de 30 evaluados en una de las semanas.",
    "<b>Pronóstico.</b> Conjunto de métodos de series de tiempo, pesados por sus errores en pruebas con el pasado; el "
    "intervalo sale de esos errores.",
    "<b>Temas.</b> Términos con muchas más menciones de las esperadas por los días anteriores; «fuerza» es −log10 de "
    "la probabilidad de que fuera azar.",
)
LIMITS = (
    "La conversación en X no es intención de voto: quienes escriben no representan al electorado.",
    "El informe habla de los tuits de este conjunto de datos, que quizá no son todos los que se escribieron.",
    "Un día o una semana sin tuits es silencio o falta de datos; no se rellena con valores.",
    "Los nombres se reconocen por escrito: apodos que no se hayan dado de alta no cuentan.",
)


def section(result: dict[str, Any]) -> str:
    """Return the method and the limits of the report."""
    steps = "".join(
        element("li", step.format(model=text(result["sentiment"]["model"] or "ninguno"))) for step in METHOD
    )
    limits = "".join(element("li", text(limit)) for limit in LIMITS)
    return (
        element("section", element("h2", "Cómo se calculó") + element("ul", steps))
        + element("section", element("h2", "Qué no dice este informe") + element("ul", limits))
    )  # fmt: skip
