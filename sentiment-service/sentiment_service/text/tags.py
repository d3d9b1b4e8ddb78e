"""Hashtags and handles in one case that name a target: `#todosconpetro`, `@gustavopetro`, `#votapetro2022`.

`normalise.split_hashtag` finds words by their capitals. Here the target is known, so that the rest of the tag can be
told from the end of another word: `#petropresidente` names `Petro`, `#petroleo` does not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import accumulate

from castor_chassis import unescape
from sentiment_service.text.marking import folded
from sentiment_service.text.normalise import plain

# Not in a link (`tiktok.com/@gustavopetro`), which the models do not read.
_TAG = re.compile(r"(?<![\w/])[#＃@＠](\w{2,100})(?!\w)")
_SIGNS = re.compile(r"[\W_]+")
_CAMPAIGN = (
    "con vota votar votemos voto por para todos todas yo de del el la los las es en fuera no mas nunca jamas si "
    "gracias viva vamos adelante apoyo quiero somos soy estoy ya gana gano ganara pierde perdio miente mentiroso "
    "mentirosa corrupto corrupta ladron ladrona renuncie renuncia cumple vuelve presidente presidenta vicepresidente "
    "vicepresidenta alcalde alcaldesa gobernador gobernadora senador senadora ministro ministra candidato candidata "
    "congreso pueblo cambio colombia bogota"
)
_AROUND = frozenset(_CAMPAIGN.split())
_WORD = rf"(?:\d++|{_CAMPAIGN.replace(' ', '|')})"
_WORDS = re.compile(f"{_WORD}*")
_EACH = re.compile(f"{_WORD}(?={_WORD}*$)")


def spelled_out(text: str, target: str) -> str:
    """Return the text with the hashtags and handles that name ``target`` as words, the target as it is given.

    ``spelled_out("¡#todosconpetro!", "Petro")`` is ``"¡todos con Petro!"``. A tag names the target if it is the target
    without spaces and signs, or the target between words of campaigns and digits, but no part of a number (`#ley1000`
    does not name `Ley 100`). Other texts come back as they are.
    """
    name = plain(target).strip().lstrip("@#＠＃")
    sought = _SIGNS.sub("", folded(name))
    # A name of few letters among many signs would make a text of tags many times longer.
    if len(sought) < 2 or len(name) > 2 * len(sought):
        return text
    raw, tags = _tagged(text)
    holding = ((tag, whole) for tag, whole in tags.items() if sought in whole)
    words = {tag: found for tag, whole in holding if (found := _words(tag, whole, sought, name))}
    return _TAG.sub(lambda tag: words.get(tag[1], tag[0]), raw) if words else text


# A text is asked for each of its targets in turn.
@lru_cache(maxsize=8)
def _tagged(text: str) -> tuple[str, Mapping[str, str]]:
    """Return a text without entities and invisible characters, and the folded letters of each of its tags."""
    raw = plain(unescape(text))
    return raw, {tag: folded(tag.replace("_", "")) for tag in _TAG.findall(raw)}


def _words(tag: str, whole: str, sought: str, name: str) -> str | None:
    """Return the words of a tag that names the target, or None; ``whole`` are the folded letters of the tag."""
    letters = tag.replace("_", "")
    if whole == sought:
        return name
    joints = _joints(tag)
    for at in () if sought in _AROUND else (whole.find(sought), whole.rfind(sought)):
        end = at + len(sought)
        if at < 0 or at in joints or end in joints:
            continue
        if _WORDS.fullmatch(whole, 0, at) and _WORDS.fullmatch(whole, end):
            return " ".join((*_split(letters[:at]), name, *_split(letters[end:])))
    return None


def _joints(tag: str) -> set[int]:
    """Return the places within the numbers of a tag, counted without its underscores: `#ley1000` has 4, 5 and 6."""
    skipped = accumulate(letter == "_" for letter in tag)
    return {at - before for at, before in enumerate(skipped) if at and tag[at].isdecimal() and tag[at - 1].isdecimal()}


def _split(letters: str) -> list[str]:
    """Return the words of a part of a tag that is made of words of campaigns and numbers."""
    return [letters[word.start() : word.end()] for word in _EACH.finditer(folded(letters))]
