"""Ranks the passages of documents by how well they fit a question, and answers by quoting the best of them.

Passages are ranked by BM25 (Robertson and Zaragoza, 2009) over lightly stemmed Spanish words and by the cosine of the
bundled static encoder, and near-duplicates are left out. An answer consists of quotes and the fixed phrases below.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from castor_chassis import fold
from openai_service.extractive.passages import Passage, Prompt, passages
from openai_service.protocol.vectors import Floats

HEADER = "Esto dicen los documentos, citado palabra por palabra:"
NO_ANSWER = "Los documentos no responden a la pregunta."
NO_DOCUMENTS = "No hay un modelo de lenguaje y la pregunta no trae documentos: sin ellos no hay nada que citar."

_K1, _B = 1.2, 0.75
_MIN_COVERAGE = 0.5
# With the bundled static encoder one in ten thousand unrelated pairs of short Spanish texts has this cosine.
_MIN_COSINE = 0.65
_MIN_SUM = 0.75
_MIN_PLAIN_WORDS = 4
_WEIGHTS = (0.4, 0.3, 0.3)
_KEEP_RATIO = 0.45
_MAX_OVERLAP = 0.6
_MAX_QUOTES = 5
_MAX_PER_DOCUMENT = 2
_MAX_ENCODED = 400
_CAMEL = re.compile(r"(?<=[a-záéíóúüñ])(?=[A-ZÁÉÍÓÚÜÑ])")
_WORD = re.compile(r"[^\W_]{2,}")
_STOP = frozenset(
    """
    al algo alguien algun alguna algunas alguno algunos ante antes asi aun aunque bien cada casi como con contra cual
    cuales cualquier cuando cuanta cuantas cuanto cuantos de del desde despues donde dos durante el ella ellas ellos en
    entonces entre era eran eres es esa esas ese eso esos esta estaba estado estan estar estas este esto estos estoy
    fue fueron ha haber habia hace hacen hacer hacia han hasta hay he hemos hoy incluso ir la las le les lo los luego
    mas me mi mientras mis misma mismo mucha muchas mucho muchos muy nada ni ningun ninguna no nos nosotros nuestra
    nuestro nunca otra otras otro otros para pero poco por porque pues puede pueden que quien quienes se sea sean segun
    ser si sido siempre sin sobre solo son su sus tal tambien tan tanto te tener tengo ti tiene tienen toda todas todo
    todos tras tu tus un una unas uno unos usted va van ver vez y ya yo
    cita citas cuenta cuentan dice dicen decir dijo dijeron documento documentos expresa gente habla hablan hablar
    menciona mencionan opina opinan opinion opiniones pasa pasando piensa piensan publicaciones red redes sociales
    sociedad tema temas texto textos trino trinos tuit tuits tuitean tweet tweets usuarios rt https http co
    """.split()  # noqa: SIM905 -- two hundred quoted words would be no easier to read
)


class Encoder(Protocol):
    """Turns texts into unit vectors."""

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return one float32 row of length 1 per text."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    passage: Passage
    words: frozenset[str]
    score: float


def words(text: str) -> list[str]:
    """Return the stems of all words but stop words, without case and accents; hashtags are split at capitals."""
    return [_stem(word) for word in _WORD.findall(fold(_CAMEL.sub(" ", text), keep_enye=False)) if word not in _STOP]


def _stem(word: str) -> str:
    # Number and gender only, after J. Savoy's light stemmer: enough to join candidato, candidatas, candidatos.
    if len(word) > 4 and word.endswith("es"):
        word = word[:-2]
    elif len(word) > 4 and word.endswith("s"):
        word = word[:-1]
    return word[:-1] if len(word) > 4 and word[-1] in "aeo" else word


def answer(prompt: Prompt, encoder: Encoder | None) -> Iterator[str]:
    """Yield the answer in pieces; each quote is a line ``- "quote" [id]``, and its text is verbatim."""
    if not prompt.documents:
        yield NO_DOCUMENTS
        return
    quotes = best_passages(prompt, encoder)
    if not quotes:
        yield NO_ANSWER
        return
    yield HEADER
    for quote in quotes:
        yield f'\n- "{quote.text}" [{quote.document_id}]'


def best_passages(prompt: Prompt, encoder: Encoder | None) -> list[Passage]:
    """Return up to five passages that fit the question, best first; empty when none does.

    A passage fits when it has half of the question's words, when its cosine is high, or when the two together are.
    Without an encoder the cosine is 0.
    """
    found = [passage for document in prompt.documents for passage in passages(document) if _is_prose(passage)]
    asked = frozenset(words(prompt.question))
    if not found or not asked:
        return []
    counts = [Counter(words(passage.text)) for passage in found]
    coverage = [len(asked & count.keys()) / len(asked) for count in counts]
    lexical = _bm25(asked, counts)
    cosine = _cosine(prompt.question, found, lexical, encoder)
    candidates = [
        _Candidate(passage, frozenset(count), sum(w * part for w, part in zip(_WEIGHTS, parts, strict=True)))
        for passage, count, *parts in zip(found, counts, lexical, coverage, cosine, strict=True)
        if parts[1] >= _MIN_COVERAGE or parts[2] >= _MIN_COSINE or parts[1] + parts[2] >= _MIN_SUM
    ]
    return _diverse(sorted(candidates, key=lambda candidate: -candidate.score))


def _is_prose(passage: Passage) -> bool:
    # A line of hashtags, mentions or links names a subject without saying anything about it.
    plain = sum(not word.startswith(("#", "@", "http")) for word in passage.text.split())
    return plain >= _MIN_PLAIN_WORDS


def _bm25(asked: frozenset[str], counts: Sequence[Counter[str]]) -> list[float]:
    """Return the BM25 score of each passage, divided by the best one."""
    total = len(counts)
    average = max(1.0, sum(count.total() for count in counts) / total)
    holders = Counter(word for count in counts for word in asked & count.keys())
    weight = {word: math.log(1 + (total - n + 0.5) / (n + 0.5)) for word, n in holders.items()}

    def score(count: Counter[str]) -> float:
        length = _K1 * (1 - _B + _B * count.total() / average)
        return sum(weight[w] * count[w] * (_K1 + 1) / (count[w] + length) for w in asked & count.keys())

    scores = [score(count) for count in counts]
    best = max(scores)
    return [value / best if best > 0 else 0.0 for value in scores]


def _cosine(
    question: str, found: Sequence[Passage], lexical: Sequence[float], encoder: Encoder | None
) -> Iterable[float]:
    """Return the cosine of each passage and the question; 0 for all but the best few hundred by BM25."""
    close = [0.0] * len(found)
    if encoder is None:
        return close
    first = sorted(range(len(found)), key=lambda place: -lexical[place])[:_MAX_ENCODED]
    rows = encoder.encode([question, *(found[place].text for place in first)])
    for place, value in zip(first, rows[1:] @ rows[0], strict=True):
        close[place] = max(0.0, float(value))
    return close


def _diverse(ranked: Sequence[_Candidate]) -> list[Passage]:
    kept: list[_Candidate] = []
    for candidate in ranked:
        if len(kept) == _MAX_QUOTES or candidate.score < _KEEP_RATIO * ranked[0].score:
            break
        same = sum(other.passage.document_id == candidate.passage.document_id for other in kept)
        if same < _MAX_PER_DOCUMENT and not any(_overlap(candidate, other) > _MAX_OVERLAP for other in kept):
            kept.append(candidate)
    return [candidate.passage for candidate in kept]


def _overlap(one: _Candidate, other: _Candidate) -> float:
    """Return the Jaccard similarity of the words; it is near 1 for retweets and copies."""
    union = len(one.words | other.words)
    return len(one.words & other.words) / union if union else 1.0
