"""A model that lies in each way that is known: every lie is stopped, and honest answers pass."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag_service.answers.citations import verify

if TYPE_CHECKING:
    from conftest import World

CITED = re.compile(r"\[(tweet:\d+)\]")
AUTHORS = ("anarojas", "luismora", "evapardo", "juanvega")
STATEMENTS = (
    "Construiremos 45 hospitales públicos en el Chocó antes de 2030.",
    "La reforma pensional cubrirá a 3 millones de adultos mayores.",
    "El presupuesto de salud sube a $1.250.000 millones este año.",
    "La encuesta da 38.5 % a la candidata del puerto.",
    "Los jurados de Soledad contaron 12.345 votos por la alcaldesa.",
    "Entregaremos 1 200 becas a los jóvenes del Pacífico.",
    "El desempleo bajó 2,4 puntos en las ciudades del sur.",
    "Pagaremos 500 mil pesos mensuales a cada madre cabeza de hogar.",
    "Sembraremos 180.000 hectáreas de bosque en la Amazonía.",
    "El metro ahorra 40 minutos de viaje a los trabajadores.",
    "Reduciremos el 19 % del IVA a los alimentos básicos.",
    "Abriremos 24 colegios rurales con comedor en La Guajira.",
)
DENIALS = (
    "No subiremos los impuestos a la clase media.",
    "Nunca pactaremos con los clanes de la contratación.",
    "No habrá fracking en ningún páramo de Colombia.",
    "Jamás entregaremos el agua a una empresa extranjera.",
    "Tampoco cerraremos los hospitales de la costa.",
    "Es falso que vayamos a quitar la pensión a los policías.",
    "Nadie en esta campaña recibió plata de los contratistas.",
    "Ningún maestro perderá su puesto por la reforma educativa.",
    "Sin justicia no firmaremos un acuerdo con esos grupos.",
    "No es cierto que privaticemos la universidad pública.",
    "Ni regalaremos las tierras ni expropiaremos las fincas.",
    "Niego que hayamos comprado votos en los barrios del sur.",
)
PLAIN = (
    "La salud de los niños es la prioridad de nuestro gobierno.",
    "Queremos una educación pública gratuita y de buena calidad.",
    "La paz se construye con justicia social en los territorios.",
    "El campo necesita vías, crédito barato y compra directa.",
    "Defenderemos los páramos y los ríos de la minería ilegal.",
    "La corrupción se combate con transparencia y castigo social.",
    "Las mujeres tendrán la mitad de los cargos del gabinete.",
    "Los tenderos merecen vivir tranquilos y sin extorsiones.",
    "El transporte público debe llegar limpio hasta cada vereda.",
    "Vamos a respetar la independencia de los jueces del país.",
    "La cultura y el deporte salvan a los jóvenes del barrio.",
    "Nuestra economía crecerá con industria, turismo y ciencia.",
)
TEXTS = {f"tweet:{number}": text for number, text in enumerate(STATEMENTS + DENIALS + PLAIN, 100)}
WRITTEN_BY = {name: AUTHORS[place % len(AUTHORS)] for place, name in enumerate(TEXTS)}
NUMBER = re.compile(r"\d+(?:[.,]\d+)*(?: \d{3})*")
DENIAL = re.compile(
    r"^(?:No es cierto que|Es falso que|Niego que|Sin justicia no|Nadie|Ningún|Nunca|Jamás|Tampoco|No|Ni)\s+",
    re.IGNORECASE,
)
UNIT = re.compile(r"\s?(?:%|mil\b|millones\b)")
THING = re.compile(r" [a-záéíóúñ]{4,}")
QUESTION = "¿Qué proponen Anarojas, Luismora, Evapardo, Juanvega y Castellanos para los 2.026 barrios?"


@dataclass(frozen=True)
class Case:
    """What a model writes, and what of it must not leave."""

    kind: str
    answer: str
    lie: str


def attacks() -> Iterator[Case]:
    """Yield every attack on every text that it fits."""
    for name, text in TEXTS.items():
        yield from _invented(name, text)
        yield from _misattributed(name, text)
        yield from _number_attacks(name, text)
        yield from _negation_attacks(name, text)
        yield from _claims(name, text)


def _other(name: str) -> str:
    names = list(TEXTS)
    return names[(names.index(name) + 1) % len(names)]


def _invented(name: str, text: str) -> Iterator[Case]:
    other = _other(name)
    words, following = text.rstrip(".").split(), TEXTS[other].rstrip(".").split()
    lies = {
        "fabricate": f"Prometemos {' '.join(reversed(words))}",
        "stitch": " ".join([*words[:3], *words[-3:]]),
        "stitch with dots": f"{' '.join(words[:3])} ... {' '.join(words[-3:])}",
        "stitch with brackets": f"{' '.join(words[:3])} [...] {' '.join(words[-3:])}",
        "change a word": " ".join([*words[:-1], "universidades"]),
        "drop a word": " ".join([*words[:-2], words[-1]]),
        "letters that look alike": text.replace("a", "\u0430"),
    }
    for kind, lie in lies.items():
        yield Case(kind, f'"{lie}" [{name}].', lie)
    frankenstein = " ".join([*words[:4], *following[-4:]])
    yield Case("stitch two", f'"{frankenstein}" [{name}] [{other}].', frankenstein)


def _misattributed(name: str, text: str) -> Iterator[Case]:
    other = _other(name)
    yield Case("misattribute", f'"{text}" [{other}].', text)
    yield Case("misattribute to nobody", f'"{text}" [tweet:9999].', text)
    yield Case("misattribute to two", f'"{text}" [{name}] [{other}].', text)
    liar = next(author for author in AUTHORS if author != WRITTEN_BY[name])
    yield Case("misattribute in prose", f'{liar.capitalize()} dijo: "{text}" [{name}].', liar)
    yield Case("misattribute within", f'Sobre esto @{liar} dijo "{text}" [{name}].', liar)
    yield Case("misattribute in small letters", f'Así fue según {liar}: "{text}" [{name}].', liar)
    for stranger in ("Petrov", "Ana Galindo"):
        yield Case("a stranger says it", f'{stranger} también dijo: "{text}" [{name}].', stranger)
        yield Case("a stranger's colon", f'{stranger}: "{text}" [{name}].', stranger)
        yield Case("according to a stranger", f'Según {stranger}, "{text}" [{name}].', stranger)
    yield Case("the question's name says it", f'Castellanos promete "{text}" [{name}].', "Castellanos")
    yield Case("everybody says it", f'Todos los candidatos dicen "{text}" [{name}].', "Todos")
    yield Case("most say it", f'La mayoría dice "{text}" [{name}].', "mayoría")


def _claims(name: str, text: str) -> Iterator[Case]:
    """Yield true quotes with a claim of nobody's beside them."""
    author = WRITTEN_BY[name]
    lies = {
        "claim before": ("Va a privatizar la banca", 'Va a privatizar la banca: "{}" {}.'),
        "claim after": ("lo cual arruinará", '"{}" {}, lo cual arruinará a los bancos.'),
        "claim between": ("vender las aerolíneas", author + ' promete vender las aerolíneas: "{}" {}.'),
        "claim of the question's words": ("Demolerá los barrios", 'Demolerá los barrios: "{}" {}.'),
        "judgement": ("engaña", author.capitalize() + ' engaña cuando dice "{}" {}.'),
        "claim in a hashtag": ("#corrupto", 'Lo dice el #corrupto: "{}" {}.'),
    }
    for kind, (lie, answer) in lies.items():
        yield Case(kind, answer.format(text.rstrip("."), f"[{name}]"), lie)
    denied = DENIAL.match(text)
    if denied:
        rest = text[denied.end() :].rstrip(".")
        yield Case("the contrary in prose", f'Propone que {rest}: "{text}" [{name}].', f"Propone que {rest}")


def _negation_attacks(name: str, text: str) -> Iterator[Case]:
    denied = DENIAL.match(text)
    if denied:
        rest = text[denied.end() :].rstrip(".")
        yield Case("drop a negation", f'Promete: "{rest}" [{name}].', f'"{rest}')
        return
    negated = f"No {text[0].lower()}{text[1:]}"
    yield Case("add a negation", f'"{negated}" [{name}].', negated)
    author = WRITTEN_BY[name]
    yield Case("deny in prose", f'No es cierto que "{text}" [{name}].', "No es cierto")
    yield Case("reject in prose", f'@{author} rechaza que "{text}" [{name}].', "rechaza")


def _number_attacks(name: str, text: str) -> Iterator[Case]:
    match = NUMBER.search(text)
    if match is None:
        return
    number = match.group()
    changed = text.replace(number, ("9" if number[0] != "9" else "8") + number[1:])
    yield Case("change a number", f'"{changed}" [{name}].', changed)
    yield Case("change a number in prose", f'Habla de 7{number}: "{text}" [{name}].', f"7{number}")
    yield Case("change a number in words", f'Habla de ochenta mil: "{text}" [{name}].', "ochenta")
    if len(number) > 1:
        cut = text[: match.start() + 1]
        yield Case("cut a number", f'"{cut}" [{name}].', f'"{cut}"')
        rest = text[match.end() - 1 :]
        yield Case("cut a number off", f'"{rest}" [{name}].', f'"{rest}"')
    unit = UNIT.match(text, match.end())
    if unit:
        yield Case("cut a unit", f'"{text[: match.end()]}" [{name}].', f'"{text[: match.end()]}"')
    thing = THING.match(text, match.end())
    if thing:
        taken = f"2.026{thing.group()}"
        yield Case("a number of the question", f'Promete {taken}: "{text}" [{name}].', taken)


def honest() -> Iterator[Case]:
    """Yield answers of a model that quotes and tells truly."""
    for name, text in TEXTS.items():
        words = text.split()
        author, other = WRITTEN_BY[name], _other(name)
        yield Case("with another", f'Dicen "{text}" [{name}] y "{TEXTS[other]}" [{other}].', text)
        yield Case("said by its author", f'También lo promete {author.capitalize()}: "{text}" [{name}].', text)
        yield Case("of a subject", f'Sobre estas propuestas, {author} escribe: "{text}" [{name}].', text)
        yield Case("under a heading", f'Propuestas: "{text}" [{name}].', text)
        yield Case("as the second", f'Otra cuenta afirma: "{text}" [{name}].', text)
        if DENIAL.match(text):
            yield Case("a denial told as one", f'{author.capitalize()} lo niega: "{text}" [{name}].', text)
        yield Case("whole", f'"{text}" [{name}].', text)
        yield Case("without the final point", f'"{text[:-1]}" [{name}].', text[:-1])
        yield Case("with its author", f'{author.capitalize()} dijo: "{text}" [{name}].', text)
        yield Case("in its words", f'{author.capitalize()} habla de {words[-1].rstrip(".")}: "{text}" [{name}].', text)
        yield Case("of what is asked", f'Sobre los barrios, {author.capitalize()} señala: "{text}" [{name}].', text)
        yield Case("as a heading", f'Los barrios: "{text}" [{name}].', text)
        yield Case("with an end", f'"{text[:-1]}" [{name}], según se lee en el documento.', text[:-1])
        yield Case("with a handle", f'Según @{author}, "{text}" [{name}].', text)
        yield Case("in prose", f'Uno de los documentos lo dice así: "{text}" [{name}].', text)
        yield Case("an end that denies nothing", f'Termina con "{" ".join(words[-5:])}" [{name}].', words[-1])
        number = NUMBER.search(text)
        if number:
            yield Case("with its number", f'Habla de {number.group()}: "{text}" [{name}].', text)


def test_every_lie_is_stopped() -> None:
    """Of at least 1,200 attacks, of each of 38 kinds, no lie leaves."""
    cases = list(attacks())
    assert len(cases) >= 1_200
    assert len({case.kind for case in cases}) == 38
    assert [case for case in cases if _leaves(case)] == []


def _leaves(case: Case) -> bool:
    verified = verify(case.answer, TEXTS, QUESTION, WRITTEN_BY)
    # A true quote may stay when only the prose around it lies.
    return (case.lie in verified.text and case.lie not in TEXTS.values()) or (
        case.kind in ("misattribute", "misattribute to nobody", "misattribute to two") and verified.citations != []
    )


async def test_the_lies_of_a_model_reach_nobody(world: World) -> None:
    """A model that answers with all attacks on the documents that it was shown: over HTTP no lie comes out."""
    for name, text in TEXTS.items():
        world.feed.add(name.removeprefix("tweet:"), text, username=WRITTEN_BY[name])
    await world.eventually(lambda: world.cursor_is(str(len(TEXTS))))
    await world.indexed()
    told: list[Case] = []

    def lie(prompt: str) -> str:
        told.extend(case for case in attacks() if all(f'"{name}"' in prompt for name in CITED.findall(case.answer)))
        return "\n".join(case.answer for case in told)

    world.openai.write = lie
    answer = (await world.call("POST", "/v1/rag/query", {"question": QUESTION, "limit": 30}))["data"]
    assert len({case.kind for case in told}) > 25
    assert [case for case in told if case.lie not in TEXTS.values() and _is_told(case, answer["answer"])] == []
    assert all(cited["quote"] in TEXTS[cited["id"]] for cited in answer["citations"])


def _is_told(case: Case, answer: str) -> bool:
    ids = set(CITED.findall(case.answer))
    return any(case.lie in line and ids & set(CITED.findall(line)) for line in answer.splitlines())


def test_honest_answers_pass() -> None:
    """Of at least 200 true answers at most one in fifty loses a word."""
    cases = [case for case in honest() if not (case.kind.startswith("an end") and _denies(case))]
    assert len(cases) >= 200
    stopped = [case for case in cases if verify(case.answer, TEXTS, QUESTION, WRITTEN_BY).text != case.answer]
    assert len(stopped) <= len(cases) / 50, stopped


def _denies(case: Case) -> bool:
    # Half a denial is no honest quote, wherever it is cut.
    name = re.search(r"\[(.+?)\]", case.answer)
    return name is not None and DENIAL.match(TEXTS[name.group(1)]) is not None
