"""Checks of a model's output that hold even when the model has followed a prompt injection.

An output that leaks the prompt, contains a link, gives orders to a model, quotes what no document says, or is about
something that no document is about, is refused.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from castor_chassis import fold, normal_form
from openai_service.extractive.ranker import words
from openai_service.text.injection_detector import decoded, is_injection

_WINDOW = 32
_MARK_DIGITS = 10
_LINK = re.compile(r"https?:|www\.|//\w|\]\(|!\[|<[a-z/!]|javascript:|data:\w+/|\bmailto:", re.IGNORECASE)
_BARE_SITE = re.compile(r"\b[a-z0-9-]{2,63}\.(?:com|net|org|co|io|info|xyz|ru|top|app|dev|gov|edu)\b", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_COMPACT = re.compile(r"[\W_]+")
_MIN_SHARED = 0.3
_FEW_WORDS = 3


@dataclass(frozen=True, slots=True)
class CheckContext:
    """What an output is checked against: the documents by id, the caller's parameters, the prompt and its mark."""

    documents: Mapping[str, str]
    parameters: str
    prompt: str
    mark: str


def problems(output: BaseModel, context: CheckContext) -> Iterator[str]:
    """Yield what is wrong with an output of the right shape, in Spanish, for the model that repairs it."""
    said = dict(_strings(output.model_dump()))
    own = {path: text for path, text in said.items() if not _is_copied(path)}
    if any(_leaks(text, context) for text in said.values()):
        yield "revela las reglas o la marca"
    yield from (f"{path}: lleva un enlace o código" for path, text in own.items() if _links(text))
    yield from (f"{path}: habla como una orden a un modelo" for path, text in own.items() if is_injection(text))
    yield from _wrong_quotes(said, context)
    yield from _off_topic(own, _known(said, context))


def _is_copied(path: str) -> bool:
    return path.endswith((".quote", ".document_id"))


def _strings(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, child in items:
        yield from _strings(child, f"{path}.{key}".lstrip("."))


def _links(text: str) -> bool:
    return bool(_LINK.search(text) or _BARE_SITE.search(text))


def _leaks(text: str, context: CheckContext) -> bool:
    views = [text, text[::-1], codecs.encode(text, "rot13"), *decoded(text)]
    windows = _prompt_windows(context.prompt)
    return any(_holds_mark(view, context.mark) or not windows.isdisjoint(_windows(view)) for view in views)


def _holds_mark(text: str, mark: str) -> bool:
    plain = _COMPACT.sub("", text.casefold())
    return any(mark[i : i + _MARK_DIGITS] in plain for i in range(len(mark) - _MARK_DIGITS + 1))


@lru_cache(maxsize=32)
def _prompt_windows(prompt: str) -> frozenset[str]:
    return _windows(prompt)


def _windows(text: str) -> frozenset[str]:
    plain = _COMPACT.sub("", fold(text, keep_enye=False))
    return frozenset(plain[i : i + _WINDOW] for i in range(len(plain) - _WINDOW + 1))


def _wrong_quotes(said: Mapping[str, str], context: CheckContext) -> Iterator[str]:
    for path, quote in said.items():
        if path.endswith(".quote"):
            document = said[path.removesuffix("quote") + "document_id"]
            if document not in context.documents:
                yield f"{path}: no hay un documento con id «{document[:80]}»"
            elif not quotes(quote, context.documents[document]):
                yield f"{path}: no está palabra por palabra en el documento «{document[:80]}»"


def quotes(quote: str, text: str) -> bool:
    """Return whether ``text`` contains ``quote``; only white space and the Unicode form may differ."""
    plain = _normal(quote)
    return bool(plain) and plain in _normal(text)


def _normal(text: str) -> str:
    return _SPACE.sub(" ", normal_form("NFC", text)).strip()


def _off_topic(own: Mapping[str, str], known: frozenset[str]) -> Iterator[str]:
    for path, text in own.items():
        field = next(part for part in reversed(path.split(".")) if not part.isdigit())
        if field in _GROUNDED and _share(text, known) < _MIN_SHARED:
            yield f"{path}: no habla de lo que dicen los documentos citados"


# What plans and advice add beyond these fields is in no document; that is why they need approval.
_GROUNDED = frozenset(("overview", "text", "answer", "content", "guidance", "draft", "recommendations"))


def _known(said: Mapping[str, str], context: CheckContext) -> frozenset[str]:
    """Return the words of the parameters and of the documents that the output cites."""
    cited = {text for path, text in said.items() if path.endswith(".document_id")}
    documents = [text for name, text in context.documents.items() if name in cited]
    return frozenset(word for text in (*documents, context.parameters) for word in words(text))


def _share(text: str, known: frozenset[str]) -> float:
    """Return the share of the text's content words, by stem, that are known; for very short texts one is enough.

    A speech has more words than a few posts: then it is the share of the known words that the text uses.
    """
    used = set(words(text))
    shared = len(used & known)
    if shared and len(used) <= _FEW_WORDS:
        return 1.0
    return shared / max(1, min(len(used), len(known)))
