"""What the prose around a quote may say: nothing that can be checked and that its documents do not hold."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from castor_chassis import fold
from rag_service.text.attribution import speakers_in
from rag_service.text.claims import claims_in
from rag_service.text.terms import keys_of
from rag_service.text.words import is_at_start, words_in_order, words_of

_FORBIDDEN = re.compile(r'["“”«»\[\]]')
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_COUNTED = re.compile(r"(\d++(?:[.,]\d++)*+)(?:\s++(\w{4,}))?")
"""A number, and the word of what it counts, if any: no part of a number that counts nothing is tried again."""
_NAME = re.compile(r"(?<![\w@#])[@#]?[A-ZÁÉÍÓÚÜÑ]\w+|@\w+")
_ENDS = frozenset(".!?:;…\n¿¡")
_NUMBER_WORDS = words_of(
    "dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis diecisiete dieciocho "
    "diecinueve veinte veintiun veintiuno veintiuna veintidos veintitres veinticuatro veinticinco veintiseis "
    "veintisiete veintiocho veintinueve treinta cuarenta "
    "cincuenta sesenta setenta ochenta noventa cien ciento doscientos trescientos cuatrocientos quinientos "
    "seiscientos setecientos ochocientos novecientos mil millon millones billon billones mitad doble triple "
    "tercio tercera cuarta docena decenas cientos miles mayoria minoria todos todas"
)
_DENIALS = words_of(
    "no ni nunca jamas tampoco sin nadie ningun ninguna ninguno falso falsa mentira niega niegan niego nego negaron "
    "rechaza rechazan rechazo rechazaron desmiente desmienten desmintio duda dudan descarta descartan"
)
_LEAST_OF_A_NAME = 4


class Evidence:
    """The texts that an answer may cite and their authors, by id, and its question."""

    def __init__(self, documents: Mapping[str, str], authors: Mapping[str, str], question: str) -> None:
        self._documents = documents
        self._handles = {name: fold(author, keep_enye=False) for name, author in authors.items()}
        self._question = question

    def supports(self, prose: str, cited: Sequence[str], quoted: str) -> bool:
        """Return whether all that can be checked in ``prose`` stands in the ``cited`` documents or the question.

        A name of the question is not enough where it is that of another document's author, nor where the prose says
        that somebody so called spoke: what one wrote is not said of another. A denial around quotes must stand in
        ``quoted``, their text, as well: a document that denies something else is no reason to deny what it says.
        What the prose says beyond handing over must be in words of ``quoted``; what it only names as its subject, in
        those of the documents or of the question.
        """
        written = " ".join(self._documents[name] for name in dict.fromkeys(cited))
        known = f"{self._question} {written}"
        return (
            not _FORBIDDEN.search(prose)
            and _numbers_stand(prose, written, known)
            and _NUMBER_WORDS & words_of(prose) <= words_of(known)
            and _denials_stand(words_of(prose), words_of(quoted))
            and self._claims_stand(prose, cited, quoted)
            and self._names_are_theirs(prose, set(cited), words_of(written), words_of(known))
            and self._speakers_are_theirs(prose, cited, words_of(written), words_of(known))
        )

    def _claims_stand(self, prose: str, cited: Sequence[str], quoted: str) -> bool:
        claims = [(word, keys_of([word]), topic) for word, topic in claims_in(prose)]
        if not claims:
            return True
        handles = [self._handles[name] for name in cited if name in self._handles]
        told = keys_of([quoted])
        known = keys_of([self._question, *(self._documents[name] for name in cited)])
        own = [(word, keys) for word, keys, topic in claims if not topic and not _is_of_one(word, handles)]
        # What is said in the words of a denial, with less of it, is the contrary.
        if own and _denials_in(prose) < _denials_in(quoted):
            return False
        named = [keys for _, keys, topic in claims if topic]
        return all(keys & told for _, keys in own) and all(keys & known for keys in named)

    def _names_are_theirs(self, prose: str, cited: set[str], written: frozenset[str], known: frozenset[str]) -> bool:
        for match in _NAME.finditer(prose):
            name = fold(match.group().lstrip("@#"), keep_enye=False)
            owners = {key for key, handle in self._handles.items() if _is_of(name, handle)}
            if name in written or any(_may_be_of(name, self._handles.get(key, "")) for key in cited):
                continue
            if owners or (_is_certainly_a_name(prose, match) and name not in known):
                return False
        return True

    def _speakers_are_theirs(
        self, prose: str, cited: Sequence[str], written: frozenset[str], known: frozenset[str]
    ) -> bool:
        handles = [self._handles[name] for name in cited if name in self._handles]
        # Of a document without an author, the question may know whose it is.
        allowed = written if len(handles) == len(cited) else known
        # One name of several is enough: accounts are called by a nickname or a surname.
        return all(
            any(name in allowed or any(_may_be_of(name, handle) for handle in handles) for name in names)
            for names in speakers_in(prose)
        )


def _is_of_one(word: str, handles: Sequence[str]) -> bool:
    name = fold(word, keep_enye=False)
    return any(_may_be_of(name, handle) for handle in handles)


def _numbers_stand(prose: str, written: str, known: str) -> bool:
    if not set(_NUMBER.findall(prose)) <= set(_NUMBER.findall(known)):
        return False
    counted = _counted_in(written)
    things = {what for _, what in counted}
    # Another number of the same document is not that of what is counted.
    return all(pair in counted or pair[1] not in things for pair in _counted_in(prose))


def _counted_in(text: str) -> set[tuple[str, str]]:
    return {(number, fold(what, keep_enye=False)) for number, what in _COUNTED.findall(text) if what}


def _denials_stand(prose: frozenset[str], quoted: frozenset[str]) -> bool:
    # What denies may be told to deny in other words; "sin" alone denies nothing of a whole sentence.
    denied = _DENIALS & prose
    return denied <= quoted or bool((_DENIALS - {"sin"}) & quoted)


def _denials_in(text: str) -> int:
    return sum(word in _DENIALS for word in words_in_order(text))


def _is_certainly_a_name(prose: str, match: re.Match[str]) -> bool:
    return match.group()[0] in "@#" or not is_at_start(prose[: match.start()], _ENDS)


def _may_be_of(name: str, handle: str) -> bool:
    return _is_of(name, handle) or (len(name) > _LEAST_OF_A_NAME and name in handle)


def _is_of(name: str, handle: str) -> bool:
    return len(name) >= _LEAST_OF_A_NAME and (handle.startswith(name) or handle.endswith(name))
