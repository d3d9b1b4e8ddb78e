"""Words by which prose says something of its own, beside those that hand over to a quote."""

from __future__ import annotations

import re
from collections.abc import Iterator

from castor_chassis import fold
from rag_service.text.attribution import is_handing_over
from rag_service.text.terms import content_keys
from rag_service.text.words import words_of

_TOPIC = re.compile(
    r"\b(?:sobre|acerca de|respecto (?:al?|del?)|en cuanto al?|en materia de|a la pregunta (?:por|de|sobre))\s+[^,.:;]*"
    r"|\b(?:del?|para)\s++(?:el |la |los |las |su |sus )?\w+"
    r"|(?:^|[.!?\n])[^\S\n]*+\w++(?:\s++(?:(?:de|del|la|el|los|las|y|en)\s++(?=\w))*+\w++){0,2}\s*+:",
    re.IGNORECASE,
)
"""What is named as a subject, and said nothing of: "Sobre las pensiones, ...", "Habla de salud", "Salud pública:"."""
_NEXT_IS_NAME = re.compile(r" [A-ZÁÉÍÓÚÜÑ]")
_INSIDE = re.compile(r"[\w,;)]")
_ACTS = re.compile(r"(?:[áéó]|án|remos)$")
"""Endings of verbs of the future and the past: what somebody will do or did is said, not named."""
_NEUTRAL = words_of(
    "accion acciones ademas afirmacion afirmaciones agrega ambas ambos anade apunta asegurando asimismo asunto "
    "autor autora autores ayuda ayudas cambio cambios cifra cifras cita citas comienza compromiso compromisos "
    "concluye concreta concretamente concreto considera consideran contexto cuenta cuentas dato datos decir "
    "declaracion declaraciones destaca destacan detalla detalle detalles diciendo documento documentos ejemplo "
    "embargo empieza encontraron expone expresion final finalmente fragmento frase frases fuente fuentes general "
    "igual igualmente indica indican informa informan lee lineas lugar manera medida medidas mensaje mensajes "
    "meta metas misma mismas mismos motivo motivos nota obra obras otra otro palabra palabras partir pasaje "
    "pasajes pregunta preguntado preguntas presente primer primera primero problema problemas proyecto proyectos "
    "publicacion publicaciones punto puntos queda quedan razon razones recoge recogen refiere refieren reitera "
    "resumen reza segun segunda segundo senala senalan siguiente solucion soluciones sostiene subraya subrayan "
    "tercera tercero termina terminos testimonio testimonios texto textos textual textualmente titula trata "
    "tratan ultima ultimo usuaria usuario usuarios varias varios vecina vecino version"
)
"""Folded words that tell of quoting, and of things in general."""


def claims_in(prose: str) -> Iterator[tuple[str, bool]]:
    """Yield (word, whether it is only named as a subject) of the words of substance of ``prose``.

    Words of asking, telling and quoting are none; names in the middle of a sentence, handles and numbers are left to
    those who check names and numbers.
    """
    topics = [match.span() for match in _TOPIC.finditer(prose)]
    for match in re.finditer(r"(?<![\w@])\w+", prose):
        word = match.group()
        folded = fold(word, keep_enye=False)
        if _is_of_a_name(prose, match) or folded in _NEUTRAL or is_handing_over(folded) or not list(content_keys(word)):
            continue
        named = any(start <= match.start() < end for start, end in topics)
        yield word, named and _ACTS.search(word) is None


def _is_of_a_name(prose: str, match: re.Match[str]) -> bool:
    """Return whether a word is capitalised within a sentence, or at its beginning before another such word."""
    if not match.group()[0].isupper():
        return False
    return _NEXT_IS_NAME.match(prose, match.end()) is not None or _is_inside(prose, match.start())


def _is_inside(prose: str, start: int) -> bool:
    end = start
    while end > 0 and prose[end - 1].isspace():
        end -= 1
    return 0 < end < start and _INSIDE.match(prose, end - 1) is not None
