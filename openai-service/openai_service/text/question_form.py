"""When two questions are the same question: the same names, numbers, dates, negations and content, said another way.

A question's normal form is what is left when politeness, function words and spelling are taken away and words that
mean the same in any context are joined (``_SAME``). Two questions are one when their forms are equal; then only one
run of words may stand elsewhere, and none at all where order carries meaning (comparisons, two or more names). There
is no similarity threshold: a vector cannot tell "subió" from "bajó", 2022 from 2026, or "A acusa a B" from its
reverse, and a wrong answer given quickly is worse than a right one paid for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from openai_service.text.folding import fold

_TOKEN = re.compile(r"[@#]?[^\W_]+(?:[.,:/-]\d+)*%?|[$%]")
# "Qué" asks, "que" joins; after a preposition the two words ask together, and the phrases below know them.
_ASKED_WHAT = re.compile(r"(?<!por )(?<!a )(?<!en )(?<!de )\b[Qq]u[éÉ]\b|\bQUÉ\b")
_NUMBER = re.compile(r"\d")
_GROUPED = re.compile(r"\d{1,3}(?:[.,]\d{3})+")

_PHRASES = tuple(
    (re.compile(rf"\b{pattern}\b"), meant)
    for pattern, meant in (
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
# Words that mean the same wherever they stand; number, person and tense are kept apart on purpose.
_SAME_WORDS = """
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
mostrar ensenar
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
_SAME = {word: line.split()[0] for line in _SAME_WORDS.splitlines() for word in line.split()}
_EMPTY = frozenset(
    """
    el la los las lo un una unos unas y e o u que se su sus es son fue fueron era eran ha han he
    hay le les me nos te mi tu este esta estos estas ese esa esos esas esto eso como tambien pues
    """.split()  # noqa: SIM905
)
_BINDING = frozenset(
    "a al de del en sobre desde hacia hasta contra por para ante tras bajo con sin entre afavor encontra segun durante".split()  # noqa: SIM905
)
_ORDERED = frozenset(
    """
    mas menos mejor peor mayor menor antes despues primero luego entre versus vs contra hacia hasta desde supera superan
    gana ganan gano vence vencen vencio derrota derrotan derroto si cuando mientras porque igual distinto diferente
    """.split()  # noqa: SIM905
)
_ASKING = frozenset("quex cual cuales quien quienes cuando donde cuanto cuanta cuantos cuantas como porque".split())  # noqa: SIM905
_NEGATING = frozenset(
    """
    no ni nunca jamas sin nadie nada ningun ninguno ninguna tampoco excepto salvo apenas dejo deja dejar falta faltan
    solo solamente unicamente
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """A question's normal form: what must be equal (``key``), and the order in which it was said."""

    key: tuple[str, ...]
    order: tuple[str, ...]
    ordered: bool
    """True when another order would be another question."""


def meaning_of(text: str) -> Meaning | None:
    """Return the normal form; None when too little is left to tell questions apart."""
    names = _names(text)
    plain = _plain(_ASKED_WHAT.sub(" quex ", text))
    for pattern, meant in _PHRASES:
        plain = pattern.sub(f" {meant} ", plain)
    order, before = [], ""
    for token in _TOKEN.findall(plain):
        if token in _BINDING:
            before = {"al": "a", "del": "de"}.get(token, token)
        if _counts(token):
            form = _form(token)
            order.append(f"{before}+{form}" if before in _BINDING else form)
            before = ""
        elif token not in _BINDING:
            before = before if token in _EMPTY else ""
    said = tuple(dict.fromkeys(order))
    if sum(word not in _ASKING for word in said) < 2:
        return None
    ordered = len(names) > 1 or any(token in _ORDERED for token in _TOKEN.findall(plain))
    return Meaning((*sorted(said), *(f"name:{name}" for name in names)), tuple(order), ordered)


def same(one: Meaning, other: Meaning) -> bool:
    """Say whether two questions of equal key are one question."""
    if one.key != other.key or one.ordered != other.ordered:
        return False
    return one.order == other.order or (not one.ordered and _one_run_moved(one.order, other.order))


def _plain(text: str) -> str:
    # "Año" is not "ano".
    return fold(text.casefold().replace("ñ", "ny"))


def _names(text: str) -> tuple[str, ...]:
    """Return what is written as a name, in order: capitals inside a sentence, acronyms, handles and hashtags."""
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
    # A text in capitals says nothing by them.
    return () if len(found) > 3 and text.isupper() else tuple(found)


def _counts(token: str) -> bool:
    if token in _NEGATING or token in _ASKING or token in _ORDERED:
        return True
    return token not in _EMPTY and token not in _BINDING


def _form(token: str) -> str:
    if _NUMBER.search(token):
        return token.replace(".", "").replace(",", "") if _GROUPED.fullmatch(token) else token
    return _SAME.get(token, token)


def _one_run_moved(one: Sequence[str], other: Sequence[str]) -> bool:
    """Say whether exchanging two neighbouring runs of words makes one order the other."""
    if sorted(one) != sorted(other):
        return False
    start = next(place for place, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1])
    end = next(place for place, pair in enumerate(zip(one[::-1], other[::-1], strict=True)) if pair[0] != pair[1])
    a, b = list(one[start : len(one) - end]), list(other[start : len(other) - end])
    return any(a[cut:] + a[:cut] == b for cut in range(1, len(a)))
