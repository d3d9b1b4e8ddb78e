"""Which texts are scored: those with words, emoji or emoticons, in a language that the model knows.

The language is found by function words and by letters that few languages have. This is no language identifier: it
answers `other` only on evidence, and a text without any ("Vamos Colombia") counts as Spanish, the service's language.
"""

import re
from collections.abc import Collection
from typing import Literal

from sentiment_service.text.normalise import EMOJI, normalise

Language = Literal["es", "en", "pt", "emoji", "other", "none"]

_WORD = re.compile(r"[^\W\d_]+(?:['’])?")
_PLACEHOLDER = re.compile(r"@user|\bhttp\b|\bRT\b")
# The evidence of another language must exceed that of Spanish by this much, about one function word.
_SPANISH_FIRST = 0.8
_LATIN_END = 0x250

_WORDS: dict[str, str] = {
    "es": (
        "el la los las de del que y en un una no se es por con para al lo su sus mi me te le nos como "
        "más mas pero este esta esto eso ese esa hay ya muy si sí son fue ser está estoy están porque "
        "cuando todo todos hoy también sin sobre yo tú él ella ustedes nosotros tengo tiene hacer "
        "gracias qué quién cómo dónde buenos buenas días hasta desde donde a o u e nunca siempre tan "
        "bien mal vez dos uno algo nada otra otro había ha he has han era voy vamos ver les nuestro "
        "nuestra país ni solo sólo mañana día noche tu eres así mucho mucha ahora mismo aquí allí q x "
        "d tienen puede"
    ),
    "pt": (
        "o os as de do da dos das que e em um uma não nao no na nos nas se é por com para ao à lo seu "
        "sua meu minha me te como mais mas este esta isso isto esse essa já muito são foi ser está "
        "estou porque quando tudo hoje também sem sobre eu você voce vc ele ela eles vocês nós tenho "
        "tem fazer obrigado obrigada pra pro pelo pela gente até vai vou só bom dia a ou ni nunca bem "
        "mal ainda sou meus minhas dele dela nada q era aqui agora assim"
    ),
    "en": (
        "the of and to in a is it that for on with you this be are was i not at my have as but they "
        "we he she your from so just if what all do can will about me no don't dont i'm im it's its "
        "there when who how out up get like by or an has had been his her their our more new now day "
        "good today tomorrow night"
    ),
    "fr": (
        "le la les de des du que et en un une ne pas se est pour avec dans au aux ce cette son sa ses "
        "mon ma mes je tu il elle nous vous ils sur mais plus tout très bien c' j' l' d' n' qu' m' s' "
        "t' être fait sont ont ai a y même quand"
    ),
    "it": (
        "il lo la i gli le di del della dei che e in un una non si è per con al alla su suo sua mio "
        "mia mi ti ci come più ma questo questa sono ho ha hai anche se quando tutto tutti oggi "
        "perché l' d' un' c' dell' all' nel nella da dal io tu lui lei noi voi ancora già così fare "
        "grazie a o bene mai solo"
    ),
    "de": (
        "der die das und ist nicht ich du er sie es wir ihr in den dem ein eine einen mit auf für von "
        "zu im am auch aber wie was wenn noch nur so sind war hat haben habe bei nach mal wird kann "
        "man dass heute schon mir mich dir einfach immer gerade mehr alle euch ja nein gut oder vom "
        "zur zum"
    ),
    "ca": (
        "el la els les de del que i en un una no es per amb als ho són és més però aquest aquesta hem "
        "molt avui també l' d' s' n' tot ser ha han dels seva nostra a o si"
    ),
    "hi": (
        "hai hain ke ka ki ko nahi nahin kya aur bhi mein ho tha kar raha rahe rahi ji ye yeh wo koi "
        "sab apne jo to se na"
    ),
}
_LETTERS: dict[str, str] = {"es": "ñ¿¡", "pt": "ãõ", "fr": "œèêû", "it": "ìòù", "de": "äöß", "ca": "ŀ"}
_KNOWN: tuple[Literal["es", "pt", "en"], ...] = ("es", "pt", "en")


def _weights() -> dict[str, dict[str, float]]:
    """Map each function word to its weight by language: 1 divided by the number of languages that have the word."""
    lists = {language: set(words.split()) for language, words in _WORDS.items()}
    weights: dict[str, dict[str, float]] = {}
    for language, words in lists.items():
        for word in words:
            shared = sum(word in other for other in lists.values())
            weights.setdefault(word, {})[language] = 1.0 / shared
    return weights


_WEIGHTS = _weights()
_NAMES = {"es": "Spanish", "en": "English", "pt": "Portuguese"}


def detect(text: str) -> Language:
    """Return the language of a raw text: `es`, `en`, `pt` or `other`.

    A text without words is `emoji` if it has an emoji or an emoticon, which every model scores, else `none`.
    """
    clean = _PLACEHOLDER.sub(" ", normalise(text))
    words = [word.lower() for word in _WORD.findall(EMOJI.sub(" ", clean))]
    if not words:
        return "emoji" if EMOJI.search(clean) else "none"
    if _foreign_script(words):
        return "other"
    evidence = _evidence(words, clean.lower())
    best = max(_WORDS, key=lambda language: evidence[language])
    return next((known for known in _KNOWN if known == best), "other")


def unscored_reason(language: str, known: Collection[str] = _KNOWN) -> str | None:
    """Return why a model that knows the languages `known` does not score such a text, or None if it scores it."""
    if language == "emoji" or language in known:
        return None
    if language == "none":
        return "The text has no words to judge (only links, mentions, digits or punctuation)."
    knows = ", ".join(_NAMES.get(one, one) for one in known)
    seen = _NAMES.get(language, "another language")
    return f"The text is in {seen}, which the model does not know (it knows {knows})."


def _foreign_script(words: list[str]) -> bool:
    letters = "".join(words)
    return sum(ord(letter) >= _LATIN_END for letter in letters) * 2 > len(letters)


def _evidence(words: list[str], text: str) -> dict[str, float]:
    evidence = dict.fromkeys(_WORDS, 0.0) | {"es": _SPANISH_FIRST}
    for word in words:
        for language, weight in _WEIGHTS.get(word.replace("’", "'"), {}).items():
            evidence[language] += weight
    for language, letters in _LETTERS.items():
        evidence[language] += sum(letter in text for letter in letters)
    return evidence
