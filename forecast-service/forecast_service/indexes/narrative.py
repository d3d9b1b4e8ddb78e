"""Narrative indexes of a candidate from scored texts: SVE, SNA, CP, NMI and IVN.

Formulas and word lists are those of the platform that CASTOR replaces; nobody has validated them against votes. Words
are compared as whole words without case and accents. With n texts, each with a positive and a negative probability:

- SVE, share of texts that name the candidate by any word of the name that is longer than three letters, or by the
  whole name where it has no such word;
- SNA = sum(positive - negative) / n, in [-1, 1];
- CP, of the comparisons (a comparing phrase and the whole name), the share with a favourable word and no unfavourable;
  0.5 where nothing is compared;
- NMI = (sum of positive over texts of hope - sum of negative over texts of anger) / n, in [-1, 1]: a text is of hope
  with a word of hope or positive > 0.6, else of anger with a word of anger or negative > 0.6;
- IVN = 0.4 SVE + 0.3 (SNA + 1) / 2 + 0.2 CP + 0.1 (NMI + 1) / 2, in [0, 1].

Daily counts give SVE and SNA by labels, not CP, NMI and IVN: these need the texts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, sqrt

from castor_chassis import fold
from forecast_service.indexes.sampling import share_error

_STRONG = 0.6
_LONG_WORD = 4


def _words(*alternatives: str) -> re.Pattern[str]:
    """Return a pattern that finds any of the phrases, as whole words, in folded text."""
    return re.compile(r"(?<!\w)(?:" + "|".join(fold(one, keep_enye=False) for one in alternatives) + r")(?!\w)")


_COMPARES = _words(
    r"mas (?:bueno|mejor|convincente|solido|claro)", "mejor", "prefiero", "me gusta mas", "vs", "comparado con",
    "en comparacion",
)  # fmt: skip
_FAVOURABLE = _words(
    "mejor", "más", "prefiero", "me gusta", "convincente", "sólido", "claro", "correcto", "acertado"
)  # fmt: skip
_UNFAVOURABLE = _words(
    "peor", "menos", "no me gusta", "débil", "confuso", "incorrecto", "equivocado"
)  # fmt: skip
_HOPE = _words(
    "esperanza", "confianza", "orgullo", "optimismo", "fe", "mejor", "progreso", "avance", "éxito", "logro"
)  # fmt: skip
_ANGER = _words(
    "frustración", "enojo", "ira", "desilusión", "decepción", "fracaso", "problema", "crisis", "preocupación", "miedo"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ScoredText:
    """A text with the probabilities that it is positive and negative."""

    text: str
    positive: float
    negative: float


@dataclass(frozen=True, slots=True)
class Narrative:
    """The indexes of ``texts`` texts; ``error`` is the standard error of IVN, at least, as sampling gives it."""

    texts: int
    comparisons: int
    sve: float
    sna: float
    cp: float
    nmi: float
    ivn: float
    error: float

    @property
    def band(self) -> str:
        """The predecessor's word for the value of IVN."""
        bounds = ((0.8, "dominant"), (0.6, "competitive"), (0.4, "neutral"), (0.2, "losing"))
        return next((word for least, word in bounds if self.ivn >= least), "crisis")


def narrative(texts: Sequence[ScoredText], name: str) -> Narrative:
    """Return the indexes of at least one text for the candidate called ``name``, which has a letter at least."""
    folded = [fold(one.text, keep_enye=False) for one in texts]
    words = fold(name, keep_enye=False).split()
    whole = _words(r"\s+".join(map(re.escape, words)))
    named = _words(*(re.escape(word) for word in words if len(word) >= _LONG_WORD)) if _has_long(words) else whole
    mentions = sum(bool(named.search(text)) for text in folded)
    sna = [one.positive - one.negative for one in texts]
    nmi = [_mood(one, text) for one, text in zip(texts, folded, strict=True)]
    favoured = [_favours(text) for text in folded if whole.search(text) and _COMPARES.search(text)]
    parts = (mentions / len(texts), _mean(sna), _mean(favoured) if favoured else 0.5, _mean(nmi))
    error = _ivn_error(mentions, sna, favoured, nmi)
    return Narrative(len(texts), len(favoured), *parts, ivn(*parts), error)


def ivn(sve: float, sna: float, cp: float, nmi: float) -> float:
    """Return IVN, in [0, 1]."""
    return 0.4 * sve + 0.3 * (sna + 1) / 2 + 0.2 * cp + 0.1 * (nmi + 1) / 2


def _has_long(words: Sequence[str]) -> bool:
    return any(len(word) >= _LONG_WORD for word in words)


def _favours(text: str) -> float:
    return float(bool(_FAVOURABLE.search(text)) and not _UNFAVOURABLE.search(text))


def _mood(one: ScoredText, text: str) -> float:
    if _HOPE.search(text) or one.positive > _STRONG:
        return one.positive
    return -one.negative if _ANGER.search(text) or one.negative > _STRONG else 0.0


def _ivn_error(mentions: int, sna: Sequence[float], favoured: Sequence[float], nmi: Sequence[float]) -> float:
    """Return the standard error of IVN as if its parts were independent; without a comparison CP may be anything."""
    compared = share_error(round(sum(favoured)), len(favoured))
    weighed = (0.4 * share_error(mentions, len(sna)), 0.15 * _error(sna), 0.2 * compared, 0.05 * _error(nmi))
    return hypot(*weighed)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _error(values: Sequence[float]) -> float:
    """Return the standard error of a mean of values in [-1, 1], with one pseudo-value at each end."""
    padded = [*values, -1.0, 1.0]
    centre = _mean(padded)
    return sqrt(sum((value - centre) ** 2 for value in padded) / len(padded) / len(padded))
