"""Whether a question asks for criticism or for praise."""

from __future__ import annotations

import re

from castor_chassis import fold
from rag_service.text.normal import searchable

_LEAD = r"(?:^|[¿?¡!.,;:] ?|\b[yo] )(?:(?:a|con|de|dime|por|sobre|y) )*"
_WHO = r"(?:(?:l[ao]s \w+|la gente|much[ao]s(?: \w+)?|algun[ao]s(?: \w+)?|mas|l[aeo]s?|nos|no) ){0,2}"
_WHAT = r"(?:(?:las?|los?|son|fueron|hay|mas|otr[ao]s|tant[ao]s|mayores|principales|tipo de) )*"
_WISH = r"(?:hay|hubo|dame|lista\w*|muestra\w*|resum\w+)"
_AND = r"(?:y|e|o|u|ni)"
_CRITICISE = r"(?:acusan?|atacan?|critican?|cuestionan?|rechazan?|se quejan?|les? reclaman?|les? reprochan?)"
_PRAISE = r"(?:alaban?|aplauden?|celebran?|elogian?)"
_CRITICISMS = (
    r"(?:criticas?|acusacion(?:es)?|cuestionamientos?|quejas?|rechazos?|reclamos?|reproches?|"
    # Attacks of a guerrilla are no criticism.
    r"ataques?(?= (?:\w+ ){0,2}(?:cruz|hac|hic|lanz|recib)))"
)
_PRAISES = r"(?:alabanzas?|aplausos?|elogios?|felicitacion(?:es)?)"


def _patterns(asks: str, verb: str, noun: str, other_verb: str, other_noun: str) -> tuple[re.Pattern[str], ...]:
    verbs, nouns = rf"(?:{other_verb} {_AND} )?{verb}\b", rf"(?:{other_noun} {_AND} (?:l[ao]s )?)?{noun}\b"
    return (
        # "¿Quién critica a Petro?", "¿Por qué los médicos rechazan la reforma?"
        re.compile(rf"{_LEAD}{asks} {_WHO}{verbs}"),
        # "¿Qué críticas recibe Petro?", "Resume los elogios a Petro".
        re.compile(rf"{_LEAD}(?:{asks}|{_WISH}) {_WHAT}{nouns}"),
        # "Críticas a la reforma".
        re.compile(rf"^[¿¡]?(?:l[ao]s )?{nouns} (?:al?|contra|del?|hacia|por|sobre)\b"),
    )


_OF_CRITICISM = (
    *_patterns(r"(?:como|cual(?:es)?|cuant[ao]s|que|quien(?:es)?)", _CRITICISE, _CRITICISMS, _PRAISE, _PRAISES),
    re.compile(r"\b(?:argumentan|dicen|opinan|piensan|plantean) (?:l[ao]s |sus )?critic[ao]s\b"),
)
# "¿Cómo celebran la Navidad?" asks for no praise.
_OF_PRAISE = _patterns(r"(?:cual(?:es)?|cuant[ao]s|que|quien(?:es)?)", _PRAISE, _PRAISES, _CRITICISE, _CRITICISMS)


def asked_tone(question: str) -> str | None:
    """Return the label of what ``question`` asks for: negative for criticism, positive for praise, None for anything.

    Such a word counts as the verb or the object of the asking ("qué critican de", "críticas a"), and not where it is
    part of the subject ("contra los ataques", "se celebran las elecciones").
    """
    folded = " ".join(fold(searchable(question), keep_enye=False).split())
    criticism, praise = (any(one.search(folded) for one in patterns) for patterns in (_OF_CRITICISM, _OF_PRAISE))
    if criticism == praise:
        return None
    return "negative" if criticism else "positive"
