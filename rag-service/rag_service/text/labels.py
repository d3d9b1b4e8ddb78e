"""What a group of texts is about, in words that they share and the other groups seldom have."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from castor_chassis import fold
from rag_service.text.normal import searchable
from rag_service.text.terms import STOP_WORDS, content_stem
from rag_service.text.words import words_of

HELD = (0.9, 0.3, 0.3)
"""A phrase of one, two or three words labels a group when this share of its texts holds it, and as many as
this: one word that some of them do not have is seldom what the group is about."""
_HOLDERS = (3, 2, 2)
MOST_LABELS, LONGEST = 2, 3
READ = 1_000
"""Of each text so many characters are read for phrases."""
_LENGTH_COUNTS = (1.0, 1.7, 2.0)
"""What a phrase of one, two or three words counts: more words say more."""
_PIECE = re.compile(r"[^\n.,;:!?¡¿()\"“”«»…|]+")
_NO_PROSE = re.compile(r"https?://\S+|[@#]\w+|^[^\w\n]*\w+(?:[^\w\n]+\w+){0,2}:", re.MULTILINE)
"""Addresses, handles, hashtags, and an exclamation before a colon."""
_WORD = re.compile(r"\w+")
_BETWEEN = words_of("a de del el en la las los y para por con")
"""Words that a phrase may hold, and neither begin nor end with."""
_MOST_BETWEEN = 2
_LEAST = 5
"""So many letters tell that two words are forms of one."""
_VERB = re.compile(
    r"(?:ando|[iy]endo|[aei]r(?:me|te|se|l[aeo]s?|nos)?|[aei]mos|[aei]re|[aei]ra[ns]?|aron|ieron|aban?|[ae]n)$"
)
"""Endings of folded verbs; what somebody does is no subject by itself."""
_NOUNS = words_of(
    "mujer lugar poder militar popular hogar nuclear deber taller mar familiar escolar par titular particular "
    "orden desorden joven imagen examen plan origen regimen crimen volumen margen resumen virgen certamen dictamen"
)
_OF_EVERYTHING = words_of(
    "ano anos cien cientos cosa cosas colombia forma gente gran grande grandes mil miles millon millones billones "
    "mundo nacional nueva nuevas nuevo nuevos pais parte vida campana candidato candidata dia dias gobierno hijo hija "
    "hijos hijas hombre hombres importante importantes mayor mayores meta momento ojos oportunidad oportunidades "
    "persona personas presidente presidenta problema problemas programa programas propuesta propuestas proyecto "
    "proyectos social sociales tema temas tiempo enero febrero marzo abril mayo junio julio agosto septiembre octubre "
    "noviembre diciembre nadie respeto vuelta"
)
"""Words that say nothing about a group by themselves, as do numbers."""

Phrase = tuple[str, ...]


def labels_of(texts: Sequence[str], groups: Sequence[Sequence[int]], asked: frozenset[str]) -> list[list[str]]:
    """Return for each group up to two phrases of up to three words of substance, as they are written.

    ``asked`` are the keys of what was asked: no phrase is of these alone. A single text has no label: its quote says
    what it is about.
    """
    held = [dict(_phrases(text, asked)) for text in texts]
    overall = Counter(phrase for phrases in held for phrase in phrases)
    found = [_labels([held[place] for place in group], overall, len(texts)) for group in groups]
    # What two groups are about sets neither apart.
    often = Counter(fold(label, keep_enye=False) for labels in found for label in labels)
    return [[label for label in labels if often[fold(label, keep_enye=False)] == 1] for labels in found]


def _labels(held: Sequence[Mapping[Phrase, str]], overall: Mapping[Phrase, int], total: int) -> list[str]:
    if len(held) == 1:
        return []
    within = Counter(phrase for phrases in held for phrase in phrases)
    least = [max(holders, math.ceil(len(held) * share)) for holders, share in zip(_HOLDERS, HELD, strict=True)]
    scores = {
        phrase: count / len(held) * math.log(1 + total / overall[phrase]) * _LENGTH_COUNTS[len(phrase) - 1]
        for phrase, count in within.items()
        if count >= least[len(phrase) - 1]
    }
    chosen: list[Phrase] = []
    for phrase in sorted(scores, key=lambda one: (-scores[one], one)):
        if len(chosen) < MOST_LABELS and not any(set(phrase) & set(other) for other in chosen):
            chosen.append(phrase)
    return [_written([phrases[one] for phrases in held if one in phrases]) for one in chosen]


def _written(found: Sequence[str]) -> str:
    """Return the usual form: in small letters if somebody writes it so, or everybody in capitals."""
    usual = Counter(found).most_common(1)[0][0]
    return usual.lower() if usual.lower() in found or (usual.isupper() and " " in usual) else usual


def _phrases(text: str, asked: frozenset[str]) -> Iterator[tuple[Phrase, str]]:
    """Yield (stems, as written in small letters) of the phrases of a text."""
    for piece in _PIECE.findall(_NO_PROSE.sub("|", searchable(_beginning(text)))):
        words = [(word, content_stem(word)) for word in _WORD.findall(piece)]
        for start, (_, first) in enumerate(words):
            if first:
                yield from _from(words, start, asked)


def _beginning(text: str) -> str:
    """Return the whole words of the first READ characters."""
    text = text.lstrip()
    return text if len(text) <= READ else text[:READ].rsplit(maxsplit=1)[0]


def _from(words: Sequence[tuple[str, str]], start: int, asked: frozenset[str]) -> Iterator[tuple[Phrase, str]]:
    stems: list[str] = []
    between, own = 0, False
    for place in range(start, len(words)):
        word, stem = words[place]
        if not stem:
            between += 1
            if word.lower() not in _BETWEEN or between > _MOST_BETWEEN:
                return
            continue
        stems.append(stem)
        between = 0
        if _is_verb(word):
            return
        own = own or not (_is_asked(stem, asked) or fold(word, keep_enye=False) in _OF_EVERYTHING)
        if own and len(set(stems)) == len(stems):
            yield tuple(stems), " ".join(word for word, _ in words[start : place + 1])
        if len(stems) == LONGEST:
            return


def _is_asked(stem: str, asked: frozenset[str]) -> bool:
    return stem in asked or any(stem.startswith(key) or key.startswith(stem) for key in asked if len(key) >= _LEAST)


def _is_verb(word: str) -> bool:
    folded = fold(word, keep_enye=False)
    past = word.endswith("ó")
    return folded in STOP_WORDS or past or (folded not in _NOUNS and _VERB.search(folded) is not None)
