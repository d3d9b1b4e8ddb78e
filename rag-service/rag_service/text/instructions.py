"""Texts that would be instructions to a language model instead of something somebody says about an election."""

from __future__ import annotations

import re

from castor_chassis import fold
from rag_service.text.normal import searchable

_WHAT = r"(?:las?|los|el|tus?|sus?|mis|the|your|all|any|todas?|todos?|cualquier|previous|prior|anteriores?|previas?)"
_RULES = (
    r"(?:instruccion(?:es)?|indicacion(?:es)?|ordenes|reglas|directrices|prompt|mensaje de sistema|instructions?|"
    r"rules?|guidelines|system message|contexto anterior)"
)
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b(?:ignor[ae]n?|olvid[ae]n?|descart[ae]n?|omit[ae]n?|desobedece|ignore|forget|disregard|override)\b"
        rf"(?:\s+{_WHAT}){{0,4}}\s+{_RULES}",
        rf"\b(?:revel[ae]|muestr[ae]|repite|imprime|reveal|print|show|repeat)\b(?:\s+{_WHAT}){{0,3}}\s+"
        r"(?:system prompt|prompt|instrucciones|instructions|mensaje de sistema)",
        r"\b(?:ahora eres (?:un|una|mi)|actua como si fueras|you are now|act as if you were|pretend to be)\b",
        r"\b(?:modo|mode)\s+(?:desarrollador|developer|dan|jailbreak)\b",
        r"(?:^|\n)[^\S\n]*(?:system|assistant|sistema|asistente)\s*:",
        r"<\|?(?:system|assistant|im_start|im_end|endoftext)\|?>|\[/?inst\]",
        r"\b(?:como|as an?)\s+(?:modelo de lenguaje|asistente de ia|ai (?:language )?model|ai assistant)\b.{0,60}"
        r"\b(?:debes|tienes que|must|should|responde|answer)\b",
        r"\b(?:asistente|modelo|chatbot|ia|ai)\b[,:]?\s+(?:responde|contesta|di|escribe|cita|answer|say|write)\b"
        r".{0,40}\b(?:siempre|solo|unicamente|always|only|exactly)\b",
    )
)


def is_instruction(text: str) -> bool:
    """Return whether ``text``, however it is written, tells a model what to do, by phrases of known attacks."""
    plain = fold(searchable(text), keep_enye=False)
    return any(pattern.search(plain) for pattern in _PATTERNS)
