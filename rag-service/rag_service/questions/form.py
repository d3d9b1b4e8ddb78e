"""The form of what a question asks for: proposals, reasons or numbers, and which sentences have it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from castor_chassis import fold
from rag_service.text.normal import searchable
from rag_service.text.sentences import sentences
from rag_service.text.terms import Term, keys_of

_PROPOSES = re.compile(
    r"\b(?:propon\w+|propuso|propusieron|ofrecen?|prometen?|prometi\w+|plantean?|anuncian?)\b"
    r"|\b(?:que|cuales|como) (?:\w+ ){0,3}(?:hara|haria|harian|haran|medidas|planes|propuestas|promesas|soluciones|"
    r"compromisos)\b"
    r"|\b(?:que|como) (?:\w+ ){0,2}(?:quieren?|piensan?|buscan?) (?:\w+ ){0,3}\w+[aei]r(?:l[aeo]s?|se|nos)?\b"
    r"|^\W*(?:las? )?(?:propuestas?|promesas?|planes|medidas) (?:de|del|para|sobre|contra)\b"
)
_REASONS = re.compile(r"\bpor que\b(?! (?:medio|via|lado))|\b(?:razon|razones|motivo|motivos|causa|causas) \b")
_PERCENTS = re.compile(r"\b(?:porcentajes?|proporcion|que tasa)\b")
_NUMBERS = re.compile(r"\b(?:cuant[ao]s?|cifras?|que numero)\b")
_INFINITIVE = r"[A-ZÁÉÍÓÚÑ][a-záéíóúüñ]+[aei]r"
_PROPOSAL = re.compile(
    # "mejoraremos", "crearé", "se bajará": not what already "está".
    r"\b(?!estar|esté|está|ser[áé]|habr|podr|querr)[a-záéíóúüñ]{2,}(?:[aeid]?r)(?:é|á|án|emos)\b"
    r"|\b(?:voy|vamos|va|van) a (?:[a-záéíóúüñ]+ )?[a-záéíóúüñ]+[aeií]r(?:me|te|se|nos|l[aeo]s?){0,2}\b"
    r"|\b(?:hay|tenemos|tiene|tengo) que \w+r\w*\b|\b(?:debe|deben|debemos|debería|necesitamos|necesita) \w+"
    r"|\b(?:propon(?:go|e|emos|en)|propus(?:e|imos)|propuest[ao]s?|plante(?:o|amos)|prometo|me comprometo|compromiso)\b"
    r"|\b(?:quiero|queremos|busco|buscamos) (?:que|un|una|l[ao]s?|el|\w+r)\b"
    r"|\b(?:mi|nuestr[ao]) (?:apuesta|meta|objetivo|plan|prioridad|programa)\b|\bes (?:necesario|urgente|hora de)\b"
    r"|\b(?:en (?:mi|nuestro) gobierno|(?:cuando sea|siendo(?: yo)?|como) presidente|(?:yo|sí|no) apoyo|apoyamos)\b"
    r"|\b(?:a favor|en contra|me opongo|solución|soluciones)\b",
    re.IGNORECASE,
)
_PROPOSAL_OF_A_LIST = re.compile(rf"^\W*(?:\d{{1,2}}[.)]\W*[A-ZÁÉÍÓÚÑ]|{_INFINITIVE}\b)")
_REASON = re.compile(
    r"\b(?:porque|por culpa|debido a|gracias a|ya que|puesto que|a causa|por eso|por ello|por esta razón|"
    r"para que|por (?:no )?[a-záéíóúüñ]+r)\b",
    re.IGNORECASE,
)
_PERCENT = re.compile(
    r"%|\bpor ?ciento\b|\bde cada (?:\d|diez|cien|dos|tres|cuatro|cinco)|\b(?:mitad|tercio|tasa)\b", re.IGNORECASE
)
_MONTHS = "enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|setiembre|octubre|noviembre|diciembre"
# A date, a year and an hour count nothing.
_NUMBER = re.compile(
    rf"(?<![\w/:.,@#])(?!(?:19|20)\d\d\b)\d[\d.,]*(?!\w|[/:]|\s?(?:de (?:{_MONTHS})|[ap]\.?m\b))"
    r"|\b(?:mil|mill[oó]n|millones|billones|mitad|tercio)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Form:
    """What is asked for, in Spanish ("propuestas"), and the shapes of a sentence that gives it."""

    name: str
    shapes: tuple[re.Pattern[str], ...]

    def of(self, sentence: str) -> bool:
        """Return whether a sentence has one of the shapes."""
        plain = searchable(sentence)
        return any(shape.search(plain) for shape in self.shapes)

    @property
    def counts(self) -> bool:
        """Whether it is a number."""
        return self.name == "cifras"

    def within(self, text: str, terms: Sequence[Term]) -> bool:
        """Return whether a sentence of ``text`` has it; where it is a number, one that holds a word of ``terms``."""
        found = [text[start:end] for start, end in sentences(text) if self.of(text[start:end])]
        if not self.counts or not terms:
            return bool(found)
        return any(term.within(keys_of([sentence])) for sentence in found for term in terms)


PROPOSALS = Form("propuestas", (_PROPOSAL, _PROPOSAL_OF_A_LIST))
REASONS = Form("razones", (_REASON,))
NUMBERS = Form("cifras", (_NUMBER,))
PERCENTS = Form("cifras", (_PERCENT,))


def asked_form(question: str) -> Form | None:
    """Return the form of what ``question`` asks for, None where anything said will do."""
    folded = " ".join(fold(searchable(question), keep_enye=False).split())
    if _PERCENTS.search(folded):
        return PERCENTS
    if _NUMBERS.search(folded):
        return NUMBERS
    if _REASONS.search(folded):
        return REASONS
    return PROPOSALS if _PROPOSES.search(folded) else None
