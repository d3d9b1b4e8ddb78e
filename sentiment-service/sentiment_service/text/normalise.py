"""Normalisation of a raw tweet into the text that a model was trained on.

Case and accents are kept, because some models use them.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from castor_chassis import normal_form, unescape
from castor_chassis import normalise as composed

_URL = re.compile(r"(?:https?://|https?\b|\bwww\.)\S*", re.IGNORECASE)
_MENTION = re.compile(r"(?<!\w)[@＠]\w+")
_HASHTAG = re.compile(r"(?<!\w)[#＃](\w+)")
_CAMEL = re.compile(r"(?<=[a-záéíóúüñç])(?=[A-ZÁÉÍÓÚÜÑÇ])|(?<=[A-ZÁÉÍÓÚÜÑÇ])(?=[A-ZÁÉÍÓÚÜÑÇ][a-záéíóúüñç])")
_DIGITS = re.compile(r"(?<=[^\W\d])(?=\d)|(?<=\d)(?=[^\W\d])")
_DOTS = re.compile(r"\.{3,}|…+")
_ELONGATION = re.compile(r"([^\d\s])\1{2,}")
_HAPPY = re.compile(r"(?<![\w:;=])(?:[:=;]-?[)\]D]+|[xX]D+\b|<3)(?!\w)")
_SAD = re.compile(r"(?<![\w:;=])[:=]['´]?-?[(\[]+")
# Skin tones and variation selectors multiply the spellings of one emoji without changing what it says.
_EMOJI_MODIFIER = re.compile("[\U0001f3fb-\U0001f3ff\ufe0e\ufe0f]")
EMOJI = re.compile("[\u2190-\u21ff\u2300-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]")
_LONG_RUN = re.compile(r"(\D)\1{3,}")
_JS_AND_AS = re.compile(r"\b[ja]+\b", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_SENTENCE_END = re.compile(r"(?<=[.!?…\n])(?=\s|[A-ZÁÉÍÓÚÜÑ¿¡])")

# Letters and digits in another style: mathematical bold, italic ... (`<font>`), full width, circled, squared.
_STYLES = ("<font>", "<wide>", "<circle>", "<square>")
_STYLED_BLOCKS = ((0x2100, 0x2150), (0x24B6, 0x24EA), (0xFF01, 0xFF5F), (0x1D400, 0x1D800), (0x1F130, 0x1F14A))
# White on black, circled and squared, have no decomposition.
_BLACK_BLOCKS = (0x1F150, 0x1F170)
# Emoji that happen to be letters: information, metro, blood groups and parking.
_LETTER_EMOJI = frozenset({0x2139, 0x24C2, 0x1F170, 0x1F171, 0x1F17E, 0x1F17F})
_SMALL_CAPITALS = ("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz")


def _styled() -> Iterator[tuple[int, str]]:
    for start, end in _STYLED_BLOCKS:
        for code in range(start, end):
            if unicodedata.decomposition(chr(code)).startswith(_STYLES):
                yield code, normal_form("NFKC", chr(code))
    for start in _BLACK_BLOCKS:
        yield from ((start + number, chr(ord("A") + number)) for number in range(26))
    yield from zip(map(ord, _SMALL_CAPITALS[0]), _SMALL_CAPITALS[1], strict=True)


_PLAIN = {code: letter for code, letter in _styled() if code not in _LETTER_EMOJI}


def split_hashtag(tag: str) -> str:
    """Return the words of a hashtag given without its `#`: `NoMásCorrupción` -> `No Más Corrupción`, `a_b` -> `a b`.

    A tag in one case (`vamoscolombia`) has no marks to split at and stays one word.
    """
    return _DIGITS.sub(" ", _CAMEL.sub(" ", tag.replace("_", " "))).strip()


def plain(text: str) -> str:
    """Return the text in NFC, with styled letters (`𝐯𝐨𝐭𝐨`, `ｖｏｔｏ`, `Ⓥⓞⓣⓞ`) as letters and nothing invisible."""
    return text if text.isascii() and text.isprintable() else composed(text.translate(_PLAIN))


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, in order; a text without marks is one."""
    return [part for sentence in _SENTENCE_END.split(text) if (part := sentence.strip())]


# Language detection and the model normalise the same texts, one after the other.
@lru_cache(maxsize=512)
def normalise(text: str) -> str:
    """Return the text as the models read it.

    In order: HTML entities are decoded; the text is composed and styled letters become letters (`plain`); every URL
    becomes `http`; hashtags are split into words; every mention becomes `@user`; emoticons become an emoji; three or
    more of one character become two (`holaaaa` -> `holaa`, digits are spared, dots become `…`); each emoji stands alone
    between spaces; white space is collapsed.
    """
    text = plain(_EMOJI_MODIFIER.sub("", unescape(text)))
    text = _URL.sub(" http ", text)
    text = _HASHTAG.sub(lambda match: split_hashtag(match[1]), text)
    text = _MENTION.sub("@user", text)
    text = _SAD.sub(" 🙁 ", _HAPPY.sub(" 🙂 ", text))
    text = _ELONGATION.sub(r"\1\1", _DOTS.sub("…", text))
    text = EMOJI.sub(r" \g<0> ", text)
    return _SPACE.sub(" ", text).strip()


def handles(text: str) -> str:
    """Return the text as models of the XLM-T kind read it: links `http`, mentions `@user`, single spaces."""
    return _SPACE.sub(" ", _MENTION.sub("@user", _URL.sub("http", plain(unescape(text))))).strip()


def _laughter(word: re.Match[str]) -> str:
    return "jaja" if "jaja" in word[0].lower() else word[0]


def robertuito(text: str) -> str:
    """Return the text as RoBERTuito reads it (Pérez et al. 2022, section 3), except that emoji stay emoji.

    Links are `url`, mentions `@usuario`, a hashtag is `hashtag` and its words, laughter is `jaja`, and of four or more
    of one character three stay.
    """
    text = _MENTION.sub("@usuario", _URL.sub("url", plain(unescape(text))))
    text = _HASHTAG.sub(lambda match: f"hashtag {split_hashtag(match[1])}", text)
    text = _JS_AND_AS.sub(_laughter, _LONG_RUN.sub(r"\1\1\1", text))
    return _SPACE.sub(" ", text).strip()
