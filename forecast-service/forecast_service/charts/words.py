"""The words of the charts, in Spanish and English."""

from __future__ import annotations

from datetime import date

from forecast_service.charts.model import Language

_MONTHS = {
    "es": ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct", "nov", "dic"),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sept", "Oct", "Nov", "Dec"),
}
_WORDS: dict[str, tuple[str, str]] = {
    "forecast": ("Pronóstico del ICCE: {name}", "ICCE forecast: {name}"),
    "compare": ("Pronóstico del ICCE de {count} candidaturas", "ICCE forecast of {count} entities"),
    "polls": ("Promedio de encuestas", "Poll average"),
    "icce": ("ICCE: cómo se habla en X, puntos de 0 a 100", "ICCE: how people talk on X, points from 0 to 100"),
    "percent": ("Intención de voto, porcentaje", "Voting intention, percent"),
    "ahead": (
        "Datos hasta el {last}; {days} días pronosticados con intervalo del {level} %",
        "Data up to {last}; {days} days forecast with an interval of {level} %",
    ),
    "poll_span": (
        "{polls} encuestas de {houses} encuestadoras, hasta el {last}; banda del {level} %",
        "{polls} polls of {houses} pollsters, up to {last}; band of {level} %",
    ),
    "skill": ("Error {skill} frente al último valor", "Error {skill} against the last value"),
    "smaller": ("{percent} % menor", "{percent} % smaller"),
    "larger": ("{percent} % mayor", "{percent} % larger"),
    "skill_unknown": ("Acierto desconocido", "Skill unknown"),
    "coverage": (
        "en retropruebas el intervalo cubrió el {coverage} % de los días",
        "in back-tests the interval held {coverage} % of the days",
    ),
    "poll_coverage": (
        "la banda habría cubierto el {coverage} % de las encuestas siguientes",
        "the band would have held {coverage} % of the polls that followed",
    ),
    "age": ("los datos tienen {age} días", "the data is {age} days old"),
    "not_votes": (
        "La conversación no predice votos.",
        "What people say on X does not predict votes.",
    ),
    "shared_error": (
        "Un error que todas las encuestas comparten no se ve en la banda. No incluye la conversación en X.",
        "An error that all polls share is not in the band. The conversation on X is not part of it.",
    ),
    "refused": ("Sin pronóstico: {names}.", "Without a forecast: {names}."),
    "backtest": ("Retroprueba del pronóstico", "Back-test of the forecast"),
    "tested": (
        "Método {method}, {step} días antes, intervalo del {level} %; {origins} pronósticos repetidos",
        "Method {method}, {step} days before, interval of {level} %; {origins} forecasts made again",
    ),
    "observed": ("observado", "observed"),
    "expected": ("pronosticado", "forecast"),
    "held": ("el intervalo cubrió el {coverage} % de {judged} días", "the interval held {coverage} % of {judged} days"),
    "not_judged": ("{method}: ningún día observado.", "{method}: no day was observed."),
    "line": (
        "{name}: {now} el {last}; {value} ({low} a {high}) el {until}",
        "{name}: {now} on {last}; {value} ({low} to {high}) on {until}",
    ),
    "poll_line": ("{name}: {value} % ({low} a {high})", "{name}: {value} % ({low} to {high})"),
}


def say(language: Language, key: str, **values: object) -> str:
    """Return a sentence or a part of one in a language."""
    spanish, english = _WORDS[key]
    return (spanish if language == "es" else english).format(**values)


def day(value: date, language: Language) -> str:
    """Return a day as people write it: 29 may 2026."""
    return f"{short_day(value, language)} {value.year}"


def short_day(value: date, language: Language) -> str:
    """Return a day without its year: 29 may."""
    return f"{value.day} {_MONTHS[language][value.month - 1]}"


def number(value: float, language: Language) -> str:
    """Return a number with one decimal, with a comma in Spanish."""
    return f"{value:.1f}".replace(".", ",") if language == "es" else f"{value:.1f}"
