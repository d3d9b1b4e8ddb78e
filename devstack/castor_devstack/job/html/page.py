"""The whole page of the report, from the result of the main job."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from castor_devstack.job.html import charts, method
from castor_devstack.job.html.markup import bogota_day, day, element, number, percent, signed, table, text
from castor_devstack.job.html.style import COLOURS, NEGATIVE, NEUTRAL, POSITIVE, STYLE

CHARTED = 8
"""Entities that have charts; the tables hold all of them."""
Json = dict[str, Any]


def page_of(result: Json, written_at: datetime | None = None) -> str:
    """Return the page: one file that loads nothing. Texts of tweets are escaped."""
    title = f"Conversación en X: {result['dataset']}"
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        + element("title", text(title))
        + element("style", STYLE)
    )
    parts = (_head, _figures, _weeks, _indexes, _sentiment, _volume, _topics, _answer, _file)
    body = element("h1", text(title)) + "".join(part(result) for part in parts) + method.section(result)
    at = (written_at or datetime.now(UTC)).isoformat(timespec="minutes").replace("+00:00", "Z")
    foot = element("p", f"Hecho con CASTOR el {text(at)}.", class_="soft")
    return f'<!doctype html>\n<html lang="es"><head>{head}</head><body><main>{body}{foot}</main></body></html>\n'


def _head(result: Json) -> str:
    span = result["span"]
    lead = element("p", f"Del {day(span['since'])} al {day(span['until'])}, en días de Bogotá.", class_="soft")
    if result["synthetic"]:
        lead += element(
            "p", "<b>Datos inventados.</b> Esta muestra no contiene tuits ni candidatos reales.", class_="warning"
        )
    return lead + "".join(element("p", method.NOTES[note], class_="warning") for note in result["notes"])


def _figures(result: Json) -> str:
    felt, week = result["sentiment"], result["weeks"]
    figures = [
        (number(felt["tweets"]), "tuits en el periodo"),
        (number(week["total_tweets"]), f"en la última semana ({number(week['total_tweets_before'])} en la anterior)"),
        (number(len(felt["entities"])), "candidatos o temas"),
    ]
    figures += [
        (percent(felt[name] / felt["scored"]) if felt["scored"] else "–", label)
        for name, label in (("positive", "positivos"), ("neutral", "neutros"), ("negative", "negativos"))
    ]
    items = "".join(element("li", element("b", value) + element("span", text(label))) for value, label in figures)
    return element("ul", items, class_="figures")


def _colours(result: Json) -> dict[str, str]:
    """Return a colour for each entity, by number of tweets."""
    order = [one["entity"] for one in result["sentiment"]["entities"]]
    return {entity: COLOURS[place % len(COLOURS)] for place, entity in enumerate(order)}


def _weeks(result: Json) -> str:
    weeks, colours = result["weeks"], _colours(result)
    if not weeks["items"]:
        return _section("Esta semana", element("p", "En este conjunto de datos no se sigue a nadie."))
    chart = charts.week_intervals([(one["name"], colours[one["entity"]], one) for one in weeks["items"][:CHARTED]])
    caption = "ICCE de la semana (color) y de la anterior (gris), con su intervalo del 95 %, en una sola escala."
    head = ["", "Tuits", "Voz", "ICCE", "Cambio", "Lectura"]
    rows = [_week_row(one, colours[one["entity"]]) for one in weeks["items"]]
    lead = (
        f"Del {day(weeks['since'])} al {day(weeks['until'])}, frente a los siete días anteriores (entre paréntesis o "
        "en gris). El ICCE va de 0 a 100 y resume cómo y cuánto se habla de alguien."
    )
    return _section(
        "Esta semana frente a la anterior", element("p", lead) + _figure(chart, caption) + table(head, rows, (0, 5))
    )


def _week_row(one: Json, colour: str) -> list[str]:
    now, before = one["now"], one["before"]
    return [
        element("span", class_="dot", style=f"background:{colour}") + text(one["name"]),
        f"{number(now['tweets'])} ({number(before['tweets'])})",
        percent(now["share_of_voice"]) + _range(now["share_low"], now["share_high"], 100),
        number(now["icce"], 1) + _range(now["low"], now["high"]),
        signed(one["change"]) + _range(one["change_low"], one["change_high"]),
        text(_reading(one)),
    ]


def _range(low: float | None, high: float | None, factor: int = 1) -> str:
    if low is None or high is None:
        return ""
    digits = 0 if factor == 100 else 1
    return element("small", f"{number(factor * low, digits)} a {number(factor * high, digits)}")


def _reading(one: Json) -> str:
    if one["now"]["note"] == "silent":
        return "silencio"
    few = "pocos tuits; " if "few_tweets" in (one["now"]["note"], one["before"]["note"]) else ""
    if one["change"] is None:
        return few + "sin semana anterior"
    if not one["certain"]:
        return few + "sin cambio seguro"
    return few + ("sube" if one["change"] > 0 else "baja")


def _indexes(result: Json) -> str:
    shown = sorted(result["forecast"], key=lambda one: list(_colours(result)).index(one["entity"]))
    shown = [one for one in shown if one["series"]][:CHARTED]
    if not shown:
        return ""
    ends = [day_["icce"] for one in shown for day_ in one["series"]]
    ends += [point[end] for one in shown for point in one["points"] for end in ("low", "high")]
    scale, colours = charts.scale_of(ends), _colours(result)
    drawn = "".join(_index(one, colours[one["entity"]], scale) for one in shown)
    lead = (
        "Puntos: el ICCE de cada día. Línea: su promedio suavizado; se corta donde no hay datos. Franja: pronóstico a "
        "catorce días con su intervalo. Todas las gráficas tienen la misma escala."
    )
    return _section("El ICCE día a día", element("p", lead) + element("div", drawn, class_="multiples"))


def _index(one: Json, colour: str, scale: charts.Scale) -> str:
    if not one["points"]:
        ahead = method.REFUSED.get(one["refused"], "Sin pronóstico.")
    else:
        last = one["points"][-1]
        ahead = (
            f"Pronóstico para el {day(last['date'])}: {number(last['value'], 1)} "
            f"({number(last['low'], 1)} a {number(last['high'], 1)}, {percent(one['level'])})."
        )
        ahead += "".join(f" {method.FORECAST_NOTES[note]}" for note in one["notes"] if note in method.FORECAST_NOTES)
    caption = element("figcaption", text(f"{ahead} {_judged(one)}"))
    return element("figure", element("h3", text(one["name"])) + charts.index_chart(one, colour, scale) + caption)


def _judged(one: Json) -> str:
    """Return how the tweets of an index were judged; reports made before this was known say nothing."""
    towards, by_text = (
        sum(day_.get(name, 0) for day_ in one["series"]) for name in ("judged_towards", "judged_by_text")
    )
    if not towards + by_text:
        return ""
    return f"Tuits evaluados por lo que dicen de la persona: {number(towards)}; solo por su tono: {number(by_text)}."


def _sentiment(result: Json) -> str:
    felt = result["sentiment"]
    rows = [("Todos los tuits", felt), *((one["name"], one) for one in felt["entities"])]
    legend = "".join(
        element("span", class_="dot", style=f"background:{colour}") + f"{label} &nbsp; "
        for label, colour in (("negativo", NEGATIVE), ("neutro", NEUTRAL), ("positivo", POSITIVE))
    )
    head = ["", "Tuits", "Evaluados", "Hacia la persona", "Positivos", "Neutros", "Negativos"]
    names = ("tweets", "scored", "targeted", "positive", "neutral", "negative")
    cells = [[text(name), *(number(counts.get(key)) for key in names)] for name, counts in rows]
    lead = (
        "De cada candidato cuenta lo que el tuit dice de él, donde se pudo juzgar (columna «Hacia la persona»); en los "
        "demás, el tono de todo el texto. Un tuit que nombra a dos cuenta para ambos."
    )
    drawn = element("p", legend, class_="soft") + charts.sentiment_bars(rows[: CHARTED + 1])
    return _section("Sentimiento", element("p", lead) + element("figure", drawn) + table(head, cells))


def _volume(result: Json) -> str:
    days = result["sentiment"]["days"]
    if not days:
        return ""
    unit = "semana (de lunes a domingo)" if len(days) > charts.MAX_BARS else "día"
    caption = f"Todos los tuits del conjunto de datos, por {unit}."
    return _section("Cuánto se escribió", _figure(charts.volume(days), caption))


def _topics(result: Json) -> str:
    trending = result["trending"]
    which = "el día con más tuits" if trending["is_busiest"] else "el último día"
    lead = f"El {day(trending['day'])}, {which} del periodo, frente a las cuatro semanas anteriores."
    if "baseline" in trending["degraded"]:
        lead += " Aún no se sabe qué es lo habitual: hay muy pocos tuits de los días anteriores."
    if not trending["topics"]:
        return _section("Temas", element("p", lead + " Nada se mencionó más que antes."))
    head = ["Tema", "Tuits", "Cuentas", "Esperados", "Fuerza"]
    rows = [
        [text(one["topic"]), number(one["tweets"]), number(one["authors"]), number(one["expected"], 1),
         number(one["score"], 1)]
        for one in trending["topics"]
    ]  # fmt: skip
    return _section("Temas que crecieron", element("p", text(lead)) + table(head, rows))


def _answer(result: Json) -> str:
    rag = result["rag"]
    quotes = "".join(_quote(cited) for cited in rag["citations"])
    note = method.DEGRADED if "llm" in rag["degraded"] else ""
    answer = element("p", text(rag["answer"])) if not quotes or not note else ""
    return _section(
        "Una pregunta", element("h3", text(rag["question"])) + answer + element("p", note, class_="soft") + quotes
    )


def _quote(cited: Json) -> str:
    whole = cited["text"] or cited["quote"]
    before, found, after = whole.partition(cited["quote"])
    marked = text(before) + element("mark", text(found)) + text(after) if found else text(whole)
    source = f"@{text(cited['author'])}, {bogota_day(cited['published_at'])}"
    if cited["link"]:
        source += ", " + element("a", "ver en X", href=cited["link"], rel="noreferrer")
    return element("blockquote", marked + element("footer", source))


def _file(result: Json) -> str:
    taken = result["input"]
    if taken is None:
        return ""
    lead = (
        f"El archivo tiene {number(taken['rows'])} filas: {number(taken['accepted'])} nuevas, "
        f"{number(taken['duplicates'])} que ya estaban guardadas o venían repetidas, {number(taken['rejected'])} "
        "rechazadas."
    )
    rows = [[number(one["line"]), text(one["reason"])] for one in taken["rejections"][:20]]
    return _section("El archivo", element("p", lead) + (table(["Línea", "Motivo"], rows, (1,)) if rows else ""))


def _figure(chart: str, caption: str) -> str:
    return element("figure", chart + element("figcaption", text(caption)))


def _section(title: str, content: str) -> str:
    return element("section", element("h2", text(title)) + content)
