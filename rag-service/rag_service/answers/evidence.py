"""What the prose around a quote may say: no number, no name and no other quotation that its documents do not hold."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from castor_chassis import fold
from rag_service.text.words import words_of

_FORBIDDEN = re.compile(r'["“”«»\[\]]')
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NAME = re.compile(r"(?<![\w@#])[@#]?[A-ZÁÉÍÓÚÜÑ]\w+|@\w+")
_BEGINS_SENTENCE = re.compile(r"(?:^|[.!?:;…\n¿¡])\W*$")
_NUMBER_WORDS = words_of(
    "dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince veinte treinta cuarenta "
    "cincuenta sesenta setenta ochenta noventa cien ciento doscientos trescientos cuatrocientos quinientos "
    "seiscientos setecientos ochocientos novecientos mil millon millones billon billones mitad doble triple "
    "tercio tercera cuarta docena decenas cientos miles"
)
_LEAST_OF_A_NAME = 4


class Evidence:
    """The texts that an answer may cite and their authors, by id, and its question."""

    def __init__(self, documents: Mapping[str, str], authors: Mapping[str, str], question: str) -> None:
        self._documents = documents
        self._handles = {name: fold(author, keep_enye=False) for name, author in authors.items()}
        self._question = question

    def supports(self, prose: str, cited: Sequence[str]) -> bool:
        """Return whether all that can be checked in ``prose`` stands in the ``cited`` documents or the question.

        A name of the question is not enough where it is that of another document's author: what one wrote is not
        said of another.
        """
        written = " ".join(self._documents[name] for name in dict.fromkeys(cited))
        known = f"{self._question} {written}"
        return (
            not _FORBIDDEN.search(prose)
            and set(_NUMBER.findall(prose)) <= set(_NUMBER.findall(known))
            and _NUMBER_WORDS & words_of(prose) <= words_of(known)
            and self._names_are_theirs(prose, set(cited), words_of(written), words_of(known))
        )

    def _names_are_theirs(self, prose: str, cited: set[str], written: frozenset[str], known: frozenset[str]) -> bool:
        for match in _NAME.finditer(prose):
            name = fold(match.group().lstrip("@#"), keep_enye=False)
            owners = {key for key, handle in self._handles.items() if _is_of(name, handle)}
            if name in written or owners & cited:
                continue
            if owners or (_is_certainly_a_name(prose, match) and name not in known):
                return False
        return True


def _is_certainly_a_name(prose: str, match: re.Match[str]) -> bool:
    return match.group()[0] in "@#" or not _BEGINS_SENTENCE.search(prose[: match.start()])


def _is_of(name: str, handle: str) -> bool:
    return len(name) >= _LEAST_OF_A_NAME and (handle.startswith(name) or handle.endswith(name))
