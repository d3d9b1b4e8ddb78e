"""Which of e5's 250,002 pieces a shipped model keeps: those that Spanish, English and Portuguese texts need.

Every character of the Latin script, of punctuation and of emoji stays, so that no such text has an unknown piece.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence

import wordfreq
from tokenizers import Tokenizer

from tools.e5 import weights

WORDS = {"es": 60_000, "en": 12_000, "pt": 12_000}
_CAPITALISED, _SHOUTED = 30_000, 5_000
_CHUNK = 10_000


def kept_pieces(pieces: Sequence[tuple[str, float]], texts: Iterable[str]) -> list[int]:
    """Return the ids of the pieces that frequent words or the ``texts`` use, and of single characters."""
    tokenizer = weights.tokenizer(list(pieces))
    used = set(range(len(("<s>", "<pad>", "</s>", "<unk>"))))
    used |= _used(tokenizer, _frequent()) | _used(tokenizer, texts)
    used |= {number for number, (piece, _) in enumerate(pieces) if _is_character(piece.removeprefix("▁"))}
    return sorted(used)


def _frequent() -> Iterator[str]:
    for language, count in WORDS.items():
        yield from wordfreq.top_n_list(language, count)
    spanish = wordfreq.top_n_list("es", _CAPITALISED)
    yield from (word.capitalize() for word in spanish)
    yield from (word.upper() for word in spanish[:_SHOUTED])


def _used(tokenizer: Tokenizer, texts: Iterable[str]) -> set[int]:
    found: set[int] = set()
    waiting: list[str] = []
    for text in texts:
        waiting.append(text)
        if len(waiting) == _CHUNK:
            found.update(number for e in tokenizer.encode_batch(waiting) for number in e.ids)
            waiting = []
    return found | {number for e in tokenizer.encode_batch(waiting) for number in e.ids}


def _is_character(piece: str) -> bool:
    if len(piece) != 1:
        return not piece
    category = unicodedata.category(piece)
    return ord(piece) < 0x250 or category[0] in "PS" or 0x2000 <= ord(piece) < 0x2C00 or ord(piece) >= 0x1F000
