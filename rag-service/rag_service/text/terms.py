"""The words of a question that carry its subject, and where a text speaks of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import snowballstemmer

from castor_chassis import fold
from rag_service.text.normal import searchable
from rag_service.text.words import is_at_start, words_of

_WORD = re.compile(r"[@#]?\w+")
_ADDRESS = re.compile(r"https?://\S+")
_ENDS = frozenset(".!?:¿¡\n")
_NEXT_IS_NAME = re.compile(r"\s++[A-ZÁÉÍÓÚÜÑ]")
_WHO = re.compile(r"\bqui[eé]n(?:es)?\s+(\w+)", re.IGNORECASE)
_CAPITALISED = r"[A-ZÁÉÍÓÚÜÑ]\w++(?: [A-ZÁÉÍÓÚÜÑ]\w++)*+"
_NAMES = re.compile(rf"{_CAPITALISED}(?:, {_CAPITALISED})*+( [ou] {_CAPITALISED})?")
"""One or several names, and the last one that is offered beside them, if any: no name of the others is tried again."""
STOP_WORDS = words_of(
    "a al algo algun alguna algunas alguno algunos ante antes aqui asi aun aunque bajo bien cada casi como con "
    "contra cual cuales cualquier cuando cuanta cuantas cuanto cuantos de del desde donde dos durante e el ella "
    "ellas ello ellos en entonces entre era eran es esa esas ese eso esos esta estaba estan estar estas este "
    "esto estos fue fueron ha haber habia hace hacen hacer hacia han hasta hay he hemos hoy la las le les lo "
    "los mas me mi mis mismo mucha muchas mucho muchos muy nada ni no nos nosotros nuestra nuestras nuestro "
    "nuestros o os otra otras otro otros para pero poco por porque pues que quien quienes se segun ser sera "
    "seran si sido siempre sin sino sobre solo son su sus tal tambien tan tanto te tener tiene tienen toda "
    "todas todo todos tras tu tus u un una unas uno unos usted ustedes va vamos van vez y ya yo rt via q d x "
    "hubo creemos necesitamos tenemos habra despues puede pueden queremos debe deben digo mejor creo sea sean "
    "estoy soy somos vas voy dar da hizo haremos seguir sigue siguen alla aca tarde buenos buenas gracias "
    "dan dejar despues ir llevar posible seria tenia vale valen"
)
"""Words without a subject of their own, folded."""
_FRAME = words_of(
    "acerca afirma afirman anuncia anuncio asunto balance candidata candidatas candidato candidatos ciudadania "
    "ciudadanos colombianos comenta comentan comento comentario comentarios cree creen cual cuentan dice dicen "
    "dicho dijeron dijo diferencia diga digan escribe escriben escribieron escribio existe existen explica "
    "explican gente habla hablan hablado hablaron hablo idea ideas mayoria menciona mencionan mensajes opina "
    "opinan opinaron opinion opiniones opino paso pasa pensaban persona personas piden pide piensa piensan "
    "plantea plantean posicion posiciones posturas postura promesa promesas promete prometen prometieron "
    "prometio propone proponen propuesta propuestas propuso propusieron publica publicaciones publicaron "
    "publican publico redes respecto responde responden respuesta resumen sabe saben siente sienten tema temas "
    "tuit tuits tuiteo tuitean trinos trino twitter tweets tweet usuarios reacciones reaccion reaccionaron "
    "reacciona critica critican criticas favor contra argumentos habria ocurrio ocurre sucede sucedio "
    "principales principal relacion cuenta cuentame explicame dime respondio contesto declaro aseguro planteo "
    "afirmo afecta afectan ataques contesta contestan cruzaron denuncia denuncian diferencian elogios estuvieron "
    "estuvo ofrece ofrecen presenta presentan quiere quieren recibe reciben recibio"
)
"""Words by which people ask, and not what they ask about."""
_POLITE = words_of("por favor puede puedes podria podrias quiero quisiera necesito me nos")
_GIVING = words_of("dame danos dar deme denos haga hagame haz hazme hacer")
_WISHES = words_of("quiero quisiera necesito")
_COMPARING = words_of("compara comparame comparanos comparar compare compareme comparen comparemos comparacion")
_ORDERS = (
    words_of(
        "analiza analizame analizar analice cuenta cuentame cuente cuenteme describe describeme describir describa di "
        "dime dinos diga digame enumera enumerame enumerar enumere explica explicame explicar explique lista listame "
        "listar liste mostrar muestra muestrame muestre muestreme resume resumeme resumenos resumir resuma resumame "
        "sintetiza sintetizar"
    )
    | _GIVING
    | _COMPARING
)
"""Verbs by which an answer is ordered, folded: "Compara", "Haz", "Muéstrame"."""
_BEFORE_ORDERED = words_of("un una el la los las breve corto corta")
_ORDERED = words_of("analisis balance comparacion cuadro lista listado resumen sintesis tabla")
_SAYING_VERBS = words_of(
    "acusa acuso afirma afirman afirmo anuncia anuncio apoya apoyo asegura aseguro ataca busca cree contesta contesto "
    "critica critico cruzaron declara declaro defiende dice dicen diferencian dijeron dijo escribe escribio explica "
    "explico habla hablan hablo niega ofrece ofrecen ofrecio opina opinan opino pide piden piensa piensan plantea "
    "plantean planteo promete prometen prometio propone proponen propuso publica publico quiere quieren rechaza "
    "responde respondio sabe segun siente sostiene trino tuiteo"
)
_SAYING_NOUNS = words_of(
    "idea ideas opinion opiniones plan planes posicion posiciones postura posturas promesa promesas propuesta "
    "propuestas respuesta"
)
_OFFICES = words_of(
    "presidente presidenta alcalde alcaldesa gobernador gobernadora senador senadora ministro ministra concejal "
    "congresista diputado diputada representante canciller embajador embajadora magistrado magistrada rector rectora "
    "candidato candidata precandidato precandidata"
)
TITLES = (
    words_of(
        "el la don dona doctor doctora dr dra sr sra senor senora ingeniero ingeniera profesor profesora profe abogado "
        "abogada general coronel capitan monsenor companero companera ex vice"
    )
    | _OFFICES
    | {prefix + office for prefix in ("ex", "vice") for office in _OFFICES}
)
"""Words before a name that say what somebody is, folded."""
_WANTING_VERBS = words_of("busca piensa piensan promete prometen propone proponen quiere quieren va van")
_COMMON_NOUNS = words_of("congreso estado gobierno nacion presidencia senado")
"""Words that are capitalised and name nobody."""
_LEAST_OF_AN_ACRONYM = 4
_CONJUNCTIONS = frozenset({"e", "o", "u", "y"})
_OF_A_COMPARISON = frozenset({"con", "versus", "vs"})
_UNCHANGED = frozenset({"lunes", "martes", "miercoles", "jueves", "viernes", "crisis", "marte"})
"""Words whose stem is that of another word."""


@dataclass(frozen=True, slots=True)
class Term:
    """A word of a question; a ``name`` is one that is capitalised within a sentence, a handle or a hashtag.

    The name of a ``speaker`` stands after a verb or noun of saying: "propone Petro", "según Fajardo", "la propuesta
    de Fico", "quiere bajar Fico", "dicen Petro y Fico", and not "qué dicen de Petro"; or it is one of those between
    whom "quién habla" lets choose: "¿Quién habla más de paz, Petro o Fico?".
    ``person`` numbers the speakers, from 1; the names of one have the same number. ``part`` numbers what "y" or "o"
    joins: "pueblos indígenas y afrodescendientes" are two. A ``handle`` is written with "@".
    """

    word: str
    keys: frozenset[str]
    name: bool
    speaker: bool = False
    person: int = 0
    part: int = field(default=0, compare=False)
    handle: bool = field(default=False, compare=False)

    def within(self, keys: frozenset[str]) -> bool:
        """Return whether a text with these keys speaks of it."""
        if self.keys & keys:
            return True
        # An acronym goes on where its writers are many: LGBTI, LGBTIQ+.
        acronym = len(self.word) >= _LEAST_OF_AN_ACRONYM and self.word.isupper()
        return acronym and any(key.startswith(self.word.lower()) for key in keys)


def question_terms(question: str) -> list[Term]:
    """Return the subjects of a question, in its order, each once; words by which it is asked are left out."""
    text = _ADDRESS.sub(" ", searchable(question))
    found: dict[frozenset[str], Term] = {}
    before: list[str] = []
    spoken, person, end, part = False, 1, 0, 0
    ordered, joining = end_of_order(text), _CONJUNCTIONS | (_OF_A_COMPARISON if compares(text) else frozenset())
    choice = _choice_of_speakers(text)
    for match in _WORD.finditer(text):
        word = match.group().lstrip("@#")
        folded = fold(word, keep_enye=False)
        name = match.group()[0] in "@#" or (word[0].isupper() and not is_at_start(text[: match.start()], _ENDS))
        name = name and folded not in _COMMON_NOUNS
        speaker = name and (word in choice or _is_speaker(before))
        joins = spoken and (folded in joining or (speaker and "," in text[end : match.start()]))
        spoken, person, end = speaker or joins, person + joins, match.end()
        part += folded in joining
        if not spoken:
            before.append(folded)
        if end <= ordered or _is_of_asking(folded) or _is_title(folded, text, end):
            continue
        keys, handle = frozenset({folded}) if name else _keys(word), match.group()[0] == "@"
        term = Term(word, keys, name, speaker, person if speaker else 0, part, handle)
        found.setdefault(term.keys, term)
    return list(found.values())


def compares(question: str) -> bool:
    """Return whether ``question`` orders a comparison: "Compara a Petro con Fico"."""
    return any(fold(word, keep_enye=False) in _COMPARING for word in _WORD.findall(question[: end_of_order(question)]))


def end_of_order(question: str) -> int:
    """Return where the order ends with which ``question`` begins: "Compara", "Haz un resumen"; 0 where it has none."""
    end, gives = 0, False
    for match in _WORD.finditer(question):
        word = fold(match.group(), keep_enye=False)
        if gives and word in _ORDERED:
            return match.end()
        if not end and word in _ORDERS:
            end = match.end()
        elif word not in (_BEFORE_ORDERED if gives else _POLITE):
            break
        gives = gives or word in _GIVING or word in _WISHES
        if end and not gives:
            break
    return end


def _is_of_asking(folded: str) -> bool:
    return folded in STOP_WORDS or folded in _FRAME or len(folded) < 2


def _choice_of_speakers(question: str) -> frozenset[str]:
    asked = _WHO.search(question)
    if asked is None or fold(asked.group(1), keep_enye=False) not in _SAYING_VERBS:
        return frozenset()
    choices = (match.group() for match in _NAMES.finditer(question) if match[1])
    return frozenset(word for choice in choices for word in _WORD.findall(choice))


def _is_speaker(before: list[str]) -> bool:
    # A speaker's name of several words leaves ``before`` as it is, so that each of them is one; so does "y" after it.
    words = (word for word in reversed(before) if word not in TITLES)
    last, one_before = next(words, ""), next(words, "")
    if last in ("de", "del"):
        return one_before in _SAYING_NOUNS
    if last.endswith(("ar", "er", "ir")):
        return one_before in _WANTING_VERBS
    return last in _SAYING_VERBS


def _is_title(folded: str, text: str, end: int) -> bool:
    """Return whether a word is the title of the name that follows it, which says who is meant without it."""
    return folded in TITLES and _NEXT_IS_NAME.match(text, end) is not None


def keys_of(texts: Iterable[str | None]) -> frozenset[str]:
    """Return the keys of all words: each folded, and its stems with and without accents."""
    return frozenset(key for text in texts if text for word in _words(text) for key in _keys(word))


def content_keys(text: str) -> Iterator[tuple[str, str]]:
    """Yield (stem, word as written) of the words that carry a subject, in order; handles and hashtags are none."""
    for word in _WORD.findall(_ADDRESS.sub(" ", searchable(text))):
        stem = content_stem(word)
        if stem:
            yield stem, word


def content_stem(word: str) -> str:
    """Return the stem of a word that carries a subject, "" of any other."""
    folded = fold(word, keep_enye=False)
    content = len(folded) > 2 and folded[0].isalpha() and folded not in STOP_WORDS and folded not in _FRAME
    return _stem(folded) if content else ""


def _words(text: str) -> list[str]:
    return [match.lstrip("@#") for match in _WORD.findall(searchable(text))]


@lru_cache(maxsize=50_000)
def _keys(word: str) -> frozenset[str]:
    folded = fold(word, keep_enye=False)
    if folded in _UNCHANGED:
        return frozenset({folded})
    return frozenset({folded, _stem(folded), fold(_stem(word.lower()), keep_enye=False)})


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    # A stemmer holds the word that it works on, and other threads stem too.
    return word if word in _UNCHANGED else str(snowballstemmer.stemmer("spanish").stemWord(word))
