"""Whom the prose of an answer says that somebody's words are of."""

from __future__ import annotations

import re
from collections.abc import Iterator

from castor_chassis import fold
from rag_service.text.words import words_of

# Beginnings of the verbs with which prose hands over to a quote.
_SAYS = (
    r"(?:dic|dij|promet|propon|propus|afirm|asegur|sostien|sostuv|anunci|escrib|public|tuite|trin|defend|defiend|critic|"
    r"pid|quier|plante|señal|explic|respond|insist|advi|denunci|reclam|opin|declar|expres|manifest|recuerd|record|exig|"
    r"ofrec|contest|repit|habl|apoy|celebr|cuestion|nieg|neg|rechaz|cree|piens)\w*"
)
_HANDLE = r"@?[\w.]+"
_CAPITALISED = r"@?[A-ZÁÉÍÓÚÜÑ][\w.]*"
# "Propuestas:", "Prometen:", "Educación:": plurals, verbs of them, and nouns of a quality or an action.
_HEADING = r"\w+(?:[^\Wz]s|[ae]n|ción|sión|dad|tud)"
_SPEAKERS = (
    # "Petro dijo", "Gustavo Petro también dijo", "@ana promete".
    re.compile(
        rf"(?<![\w@])((?:{_CAPITALISED}\s+){{1,3}}|@\w+\s+)(?:(?:también|ya|hoy|ayer|lo|se|nos|les?)\s+)*{_SAYS}"
    ),
    # "según petro", "palabras de Petro", "dice Petro".
    re.compile(rf"\b(?:[Ss]egún|[Dd]e acuerdo con|palabras de)\s+({_HANDLE})"),
    re.compile(rf"\b{_SAYS}\s+({_CAPITALISED}(?:\s+{_CAPITALISED})*|@\w+)"),
    # "Petro: «...»", at the beginning of a sentence.
    re.compile(rf"(?:^|[.!?…]\s*|\n[^\S\n]*)(?!{_HEADING}\s*:)({_CAPITALISED}(?:\s+{_CAPITALISED})*)\s*:"),
)
# Words with a capital letter that begin a sentence without naming anybody.
_NOBODY = words_of(
    "el la los las lo un una uno unos unas al del este esta estos estas ese esa esos esas aquel aquella ella ellos "
    "ellas quien quienes alguien otro otra otros otras varios varias algunos algunas muchos muchas ambos ambas cada "
    "su sus tambien ademas asi luego despues antes ahora entonces primero segundo tercero finalmente mientras "
    "cuando donde como que se ya hoy ayer alli aqui asimismo igualmente por para con sin sobre segun ante tras en "
    "de a y e o u pero usuarios usuarias candidatos candidatas candidato candidata ciudadanos ciudadanas vecinos "
    "vecinas personas gente documento documentos tuit tuits mensaje mensajes texto textos autor autora autores "
    "cuenta cuentas respuesta resumen salud educacion seguridad economia empleo impuestos pensiones paz corrupcion "
    "cita citas ejemplo"
)


def speakers_in(prose: str) -> Iterator[list[str]]:
    """Yield the names, folded, of each of those whom ``prose`` says to have spoken."""
    for pattern in _SPEAKERS:
        for match in pattern.finditer(prose):
            words = [fold(word.strip("@."), keep_enye=False) for word in match.group(1).split()]
            names = [word for word in words if word and word not in _NOBODY and not is_handing_over(word)]
            if names:
                yield names


def is_handing_over(word: str) -> bool:
    """Return whether a folded word is a verb that hands over to a quote."""
    return re.fullmatch(fold(_SAYS, keep_enye=False), word) is not None
