"""Features of the linear model: words, character n-grams and polarity cues of a text, as one row of a matrix.

Training and inference share this module, so that inference computes the features that the model was trained on.
That is also why ``_fold`` is its own: another folding would look up other words in the lexicon and change the scores.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack

from castor_chassis import normal_form
from sentiment_service.text.normalise import normalise

Floats = NDArray[np.float32]

_TOKEN = re.compile(r"@user|\w+|[^\w\s]")
_NEGATIONS = frozenset({"no", "nunca", "jamás", "jamas", "sin", "tampoco", "ni", "nada", "nadie"})
_CLAUSE_END = frozenset(".,;:!?…")
_NEGATION_REACH = 4
_NOT = "¬"
_SHORTEST_STEM = 3
CUES = 18


class Lexicon:
    """Words of known polarity: exact words, and stems that end with `*`; accents are ignored, `ñ` is not."""

    def __init__(self, exact: dict[str, str], stems: dict[str, str]) -> None:
        self._exact = exact
        self._stems = stems
        self._longest = max(map(len, stems), default=0)
        self.polarity = lru_cache(maxsize=50_000)(self._polarity)

    @classmethod
    def parse(cls, text: str) -> "Lexicon":
        """Read sections `[positive]` and `[negative]` of words between white space; `#` starts a comment line."""
        exact: dict[str, str] = {}
        stems: dict[str, str] = {}
        sign = "+"
        for line in text.splitlines():
            if line.startswith("["):
                sign = "+" if line.strip() == "[positive]" else "-"
            elif not line.startswith("#"):
                for word in map(_fold, line.split()):
                    (stems if word.endswith("*") else exact)[word.rstrip("*")] = sign
        return cls(exact, stems)

    def _polarity(self, word: str) -> str:
        folded = _fold(word)
        if folded in self._exact:
            return self._exact[folded]
        for length in range(min(len(folded), self._longest), _SHORTEST_STEM - 1, -1):
            if folded[:length] in self._stems:
                return self._stems[folded[:length]]
        return ""


class TokenizedText(NamedTuple):
    """Tokens of a text (negated ones start with `¬`) and the polarity of its polar tokens: `+ - ¬+ ¬-`."""

    tokens: list[str]
    polar: list[str]


def tokenize(text: str, lexicon: Lexicon) -> TokenizedText:
    """Split a normalised text and mark what a negation reaches: up to four words, never past the clause."""
    tokenized = TokenizedText([], [])
    reach = 0
    for token in _TOKEN.findall(text.lower()):
        if token in _NEGATIONS:
            tokenized.tokens.append(token)
            reach = _NEGATION_REACH
            continue
        is_word = token[0].isalnum() or token == "@user"
        mark = _NOT if is_word and reach > 0 else ""
        reach = 0 if token in _CLAUSE_END else reach - is_word
        tokenized.tokens.append(mark + token)
        if polarity := lexicon.polarity(token):
            tokenized.polar.append(mark + polarity)
    return tokenized


def cues(text: str, tokenized: TokenizedText) -> list[float]:
    """Return `CUES` numbers of about unit size: polar words and their balance, shouting, questions, quotes."""
    counts = [tokenized.polar.count(kind) for kind in ("+", "-", "¬+", "¬-")]
    balance = counts[0] + counts[3] - counts[1] - counts[2]
    last = tokenized.polar[-1] if tokenized.polar else ""
    shouted = sum(word.isupper() and len(word) > 2 for word in text.split())
    return [
        *np.log1p(counts).tolist(),
        float(balance > 0),
        float(balance < 0),
        float(not tokenized.polar),
        float(last in {"+", "¬-"}),
        float(last in {"-", "¬+"}),
        min(text.count("!"), 3) / 3,
        min(text.count("?"), 2) / 2,
        float(text.endswith("?")),
        min(shouted, 3) / 3,
        min(len(tokenized.tokens), 40) / 40,
        float("http" in text),
        min(text.count("@user"), 3) / 3,
        float('"' in text or "“" in text),
        float("…" in text),
    ]


@dataclass(frozen=True)
class FeatureSpace:
    """How texts become columns: `2**word_bits` for words, `2**char_bits` for characters, then the cues."""

    lexicon: Lexicon
    word_bits: int = 16
    char_bits: int = 17
    word_ngrams: tuple[int, int] = (1, 1)
    char_ngrams: tuple[int, int] = (2, 5)
    cue_weight: float = 0.3

    @property
    def width(self) -> int:
        """Columns of `matrix`."""
        return (1 << self.word_bits) + (1 << self.char_bits) + CUES

    def counts(self, texts: Sequence[str]) -> tuple[csr_matrix, csr_matrix, csr_matrix]:
        """Return counts of words, counts of character n-grams, and cues: one row for each raw text."""
        # Imported late: it takes seconds, which exporting the contract and collecting tests need not wait for.
        from sklearn.feature_extraction.text import HashingVectorizer

        clean = [normalise(text) for text in texts]
        tokenized = [tokenize(text, self.lexicon) for text in clean]
        words = HashingVectorizer(
            analyzer=partial(_join_ngrams, shortest=self.word_ngrams[0], longest=self.word_ngrams[1]),
            n_features=1 << self.word_bits,
            alternate_sign=False,
            norm=None,
        )
        chars = HashingVectorizer(
            analyzer="char_wb",
            ngram_range=self.char_ngrams,
            n_features=1 << self.char_bits,
            alternate_sign=False,
            norm=None,
        )
        rows = np.array([cues(*pair) for pair in zip(clean, tokenized, strict=True)]).reshape(-1, CUES)
        return (
            cast(csr_matrix, words.transform(one.tokens for one in tokenized)),
            cast(csr_matrix, chars.transform(clean)),
            csr_matrix(rows),
        )

    def matrix(self, texts: Sequence[str], word_idf: Floats, char_idf: Floats) -> csr_matrix:
        """Return one row of `width` columns for each raw text."""
        words, chars, rows = self.counts(texts)
        return self.weigh(words, chars, rows, word_idf, char_idf)

    def weigh(
        self, words: csr_matrix, chars: csr_matrix, rows: csr_matrix, word_idf: Floats, char_idf: Floats
    ) -> csr_matrix:
        """Join counts to features: `(1 + ln tf) * idf` at unit length for each block, then the weighted cues."""
        blocks = [_tf_idf(words, word_idf), _tf_idf(chars, char_idf), rows * self.cue_weight]
        return cast(csr_matrix, hstack(blocks, format="csr"))


def _tf_idf(counts: csr_matrix, idf: Floats) -> csr_matrix:
    # By hand, because a product with diags(idf) and sklearn's normalize cost 2 ms however few the texts.
    weighted = counts.copy()
    weighted.data = (1.0 + np.log(weighted.data)) * idf[weighted.indices]
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    lengths = np.sqrt(np.bincount(rows, weighted.data**2, minlength=counts.shape[0]))
    weighted.data /= lengths[rows]
    return cast(csr_matrix, weighted)


def _join_ngrams(tokens: Sequence[str], shortest: int, longest: int) -> Iterable[str]:
    for size in range(shortest, longest + 1):
        yield from (" ".join(tokens[i : i + size]) for i in range(len(tokens) - size + 1))


def _fold(word: str) -> str:
    parts = normal_form("NFD", word.lower().replace("ñ", "\0"))
    return "".join(part for part in parts if not unicodedata.combining(part)).replace("\0", "ñ")
