"""The form of a question: equal for two questions that differ in wording only.

The form is what is left without politeness, function words and spelling, and with synonyms that hold in any context
(``_SYNONYMS``) made equal. Names, numbers, dates, negations and content stay. Two questions are the same when their
forms are equal and at most one run of words has moved; none may have moved where order carries meaning (comparisons,
negations, two or more names). There is no similarity threshold: a vector cannot tell "subió" from "bajó", 2022 from 2026, or
"A acusa a B" from its reverse, and a wrong answer costs more than a second call of the model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from castor_chassis import fold

_TOKEN = re.compile(r"[@#]?[^\W_]+(?:[.,:/-]\d+)*%?|[$%]")
# "Qué" is interrogative, "que" is not. After a preposition both words form the interrogative; see _PHRASES.
_ASKED_WHAT = re.compile(r"(?<!por )(?<!a )(?<!en )(?<!de )\b[Qq]u[éÉ]\b|\bQUÉ\b")
_NUMBER = re.compile(r"\d")
_GROUPED = re.compile(r"\d{1,3}(?:[.,]\d{3})+")

_PHRASES = tuple(
    (re.compile(rf"\b{pattern}\b"), replacement)
    for pattern, replacement in (
        (r"(?:acerca de|respecto (?:a|de)|con respecto a|en torno a|en cuanto a|en relacion con|con relacion a|en materia de)", "sobre"),
        (r"(?:por favor|muchas gracias|gracias|buen(?:os|as)? (?:dia|dias|tardes|noches)|hola|oye|disculp[ae])", " "),
        (
            r"(?:me|nos) (?:puedes|puede|podrias|podria) (?:decir|contar|explicar|indicar|informar)"
            r"|(?:puedes|puede|podrias|podria) (?:decir|contar|explicar|indicar)(?:me|nos)"
            r"|(?:quisiera|quiero|necesito|me gustaria|queremos|quisieramos) (?:saber|conocer|entender|que me (?:digas|cuentes|expliques))"
            r"|(?:dime|digame|cuentame|cuenteme|explicame|expliqueme|indicame|dinos|sabes|sabe usted)",
            " ",
        ),
        (r"el numero de|la cantidad de|que numero de|que cantidad de", "cuantos"),
        (r"cuales son|cual es|cuales fueron|cual fue", "quex"),
        (r"por que (?:razon|razones|motivo|motivos|causa)|a que se debe|cual es la (?:razon|causa) de", "porque"),
        (r"por que", "porque"),
        (r"en que (?:lugar|sitio|parte)", "donde"),
        (r"en que (?:fecha|momento)|que dia", "cuando"),
        (r"de que (?:manera|forma|modo)", "como"),
        (r"a favor de", "afavor"),
        (r"en contra de", "encontra"),
        (r"a pesar de", "apesar"),
        (r"todos los|todas las", "todos"),
        (r"medio ambiente", "medioambiente"),
        (r"estados unidos|ee uu|eeuu|usa", "estadosunidos"),
    )
)  # fmt: skip
# Synonyms in any context; number, person and tense are kept apart on purpose.
_SYNONYM_LINES = """
precio costo
precios costos
empleo trabajo
empleos trabajos
desempleo desocupacion
comicios elecciones
sufragio voto
sufragios votos
presidente mandatario
alcaldia municipio
salario sueldo
salarios sueldos
medicamentos medicinas remedios
medicamento medicina
medico doctor
medicos doctores
docente profesor maestro
docentes profesores maestros
colegio escuela
colegios escuelas
carretera via
carreteras vias
automovil carro coche
automoviles carros coches
autobus bus
autobuses buses
robo hurto
robos hurtos
asesinato homicidio
asesinatos homicidios
pelicula film
propuesta planteamiento
propuestas planteamientos
propone plantea
proponen plantean
propuso planteo
dice opina afirma sostiene
dicen opinan afirman sostienen
dijo afirmo sostuvo
opinion postura posicion
opiniones posturas posiciones
problema inconveniente
problemas inconvenientes
ayuda auxilio
ayudas auxilios
habitantes pobladores
comenzar empezar iniciar
comenzo empezo inicio
comienza empieza inicia
comienzan empiezan inician
terminar finalizar
termino finalizo
termina finaliza
subio aumento
sube aumenta
suben aumentan
subieron aumentaron
bajo disminuyo
baja disminuye
bajaron disminuyeron
rapido veloz
grande enorme
obtuvo consiguio logro
obtuvieron consiguieron lograron
mostrar enseñar
requisitos condiciones
documento escrito
rechaza repudia
rechazo repudio
apoya respalda
apoyan respaldan
apoyo respaldo
apoyaron respaldaron
critica cuestiona
critico cuestiono
criticaron cuestionaron
solucion arreglo
soluciones arreglos
usuarios usuarias
ocurrio sucedio paso
ocurre sucede pasa
construir edificar
crear fundar
plazo termino
principal primordial
principales primordiales
lista listado
resumen sintesis
resume sintetiza resumir resumeme
votantes electores
candidatos aspirantes
candidato aspirante
ciudad urbe
norma regla
normas reglas
idea nocion
inseguridad delincuencia
ultimamente recientemente
actualmente ahora hoy
necesario preciso
""".strip()
_SYNONYMS = {word: line.split()[0] for line in _SYNONYM_LINES.splitlines() for word in line.split()}
_FUNCTION_WORDS = frozenset(
    """
    el la los las lo un una unos unas y e o u que se su sus es son fue fueron era eran ha han he
    hay le les me nos te mi tu este esta estos estas ese esa esos esas esto eso como tambien pues
    """.split()  # noqa: SIM905
)
_PREPOSITIONS = frozenset(
    "a al de del en sobre desde hacia hasta contra por para ante tras bajo con sin entre afavor encontra segun durante".split()  # noqa: SIM905
)
_ORDER_WORDS = frozenset(
    """
    mas menos mejor peor mayor menor antes despues primero luego entre versus vs contra hacia hasta desde supera superan
    gana ganan gano vence vencen vencio derrota derrotan derroto si cuando mientras porque igual distinto diferente
    """.split()  # noqa: SIM905
)
_INTERROGATIVES = frozenset(
    [
        "quex",
        "cual",
        "cuales",
        "quien",
        "quienes",
        "cuando",
        "donde",
        "cuanto",
        "cuanta",
        "cuantos",
        "cuantas",
        "como",
        "porque",
    ]
)
_NEGATIONS = frozenset(
    """
    no ni nunca jamas sin nadie nada ningun ninguno ninguna tampoco excepto salvo apenas dejo deja dejar falta faltan
    solo solamente unicamente
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class QuestionForm:
    """The form of a question: the words and names that must be equal (``key``), and their order in the question."""

    key: tuple[str, ...]
    order: tuple[str, ...]
    ordered: bool
    """True when another order would be another question."""


def question_form(text: str) -> QuestionForm | None:
    """Return the form of ``text``; None when too little is left of it to tell questions apart."""
    names = _names(text)
    plain = _plain(_ASKED_WHAT.sub(" quex ", text))
    for pattern, replacement in _PHRASES:
        plain = pattern.sub(f" {replacement} ", plain)
    order, before = [], ""
    for token in _TOKEN.findall(plain):
        if token in _PREPOSITIONS:
            before = {"al": "a", "del": "de"}.get(token, token)
        if _has_content(token):
            form = _form(token)
            order.append(f"{before}+{form}" if before in _PREPOSITIONS else form)
            before = ""
        elif token not in _PREPOSITIONS:
            before = before if token in _FUNCTION_WORDS else ""
    said = tuple(dict.fromkeys(order))
    if sum(word not in _INTERROGATIVES for word in said) < 2:
        return None
    # What "no" stands before decides what is denied, so it may not move either.
    ordered = len(names) > 1 or any(token in _ORDER_WORDS or token in _NEGATIONS for token in _TOKEN.findall(plain))
    return QuestionForm((*sorted(said), *(f"name:{name}" for name in names)), tuple(order), ordered)


def is_same_question(one: QuestionForm, other: QuestionForm) -> bool:
    """Return whether two forms belong to the same question."""
    if one.key != other.key or one.ordered != other.ordered:
        return False
    return one.order == other.order or (not one.ordered and _is_one_run_moved(one.order, other.order))


def _plain(text: str) -> str:
    # With the ñ: "año" is not "ano".
    return fold(text)


def _names(text: str) -> tuple[str, ...]:
    """Return the names in order: words with a capital inside a sentence, acronyms, handles and hashtags."""
    found, begins = [], True
    for match in re.finditer(r"[@#]?[^\W\d_]+|[.!?¿¡:;\n]", text):
        token = match[0]
        if not token[-1].isalpha():
            begins = True
            continue
        acronym = len(token) > 1 and token.isupper()
        if token[0] in "@#" or acronym or (token[0].isupper() and not begins):
            found.append(_plain(token))
        begins = False
    # In a text that is all capitals they tell nothing.
    return () if len(found) > 3 and text.isupper() else tuple(found)


def _has_content(token: str) -> bool:
    if token in _NEGATIONS or token in _INTERROGATIVES or token in _ORDER_WORDS:
        return True
    return token not in _FUNCTION_WORDS and token not in _PREPOSITIONS


def _form(token: str) -> str:
    if _NUMBER.search(token):
        return token.replace(".", "").replace(",", "") if _GROUPED.fullmatch(token) else token
    return _SYNONYMS.get(token, token)


def _is_one_run_moved(one: Sequence[str], other: Sequence[str]) -> bool:
    """Return whether exchanging two neighbouring runs of words turns one order into the other."""
    if sorted(one) != sorted(other):
        return False
    start = next(place for place, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1])
    end = next(place for place, pair in enumerate(zip(one[::-1], other[::-1], strict=True)) if pair[0] != pair[1])
    a, b = list(one[start : len(one) - end]), list(other[start : len(other) - end])
    return any(a[cut:] + a[:cut] == b for cut in range(1, len(a)))
