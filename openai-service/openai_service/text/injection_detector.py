"""Detects prompt injections: texts that give orders to a language model, by typical phrases in Spanish and English.

It is the first of three defences: what it misses is still fenced in the prompt, and the output is checked. Look-alike
letters, accents, spacing, invisible characters, base64, hexadecimal digits, reversal and rot13 do not hide a phrase.
Every pattern is linear in the text.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
import unicodedata
from collections.abc import Iterator

from castor_chassis import normal_form

_LOOKALIKES = str.maketrans("аеорсухіјѕԁһӏοαερυικνΑΕΟΡ", "aeopcyxijsdhloaepuiknaeop")
_LEET = str.maketrans("013457@$", "oieastas")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{20,4000}={0,2}")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}[\s:]?){16,2000}")
_NOT_WORD = re.compile(r"[^a-z0-9]+")
_SPACED = re.compile(r"\b(?:[a-z] ){4,}[a-z]\b")

_OBJECT = r"(?:instruccion(?:es)?|reglas|ordenes|indicaciones|instructions?|rules|guidelines|directives|prompts?)"
_FORGET = (
    r"(?:ignor(?:a|e|en|ar|es|ing)|olvid(?:a|e|en|ar|es|ate)|desobedece|descart(?:a|e|en)|omit(?:e|a|an)|disregard|forget|"
    r"bypass|override|anula|salta(?:te)?|no sigas|do not follow|stop following)"
)
_TELL = (
    r"(?:revel(?:a|e|es|ar)|muestr(?:a|e|ame)|repit(?:e|a)|imprim(?:e|a)|escrib(?:e|a)|copi(?:a|e)|traduc(?:e|elo|ir)|"
    r"resum(?:e|ir)|di(?:me)?|dinos|reveal|print|show|repeat|output|display|leak|dump|translate|summari[sz]e|tell)"
)
_SECRET = (
    r"(?:system prompt|prompt (?:del|de|inicial|oculto|completo)|prompt(?:s)? (?:del )?sistema|tus (?:instrucciones|reglas|ordenes)|"
    r"(?:las )?instrucciones (?:del sistema|ocultas|internas|iniciales|secretas|anteriores)|mensaje (?:de|del) sistema|your (?:\w+ )?(?:instructions|rules|prompt)|"
    r"(?:hidden|initial|internal|secret|above|previous|system) (?:instructions|rules|prompt|message|text)|"
    r"texto (?:de arriba|anterior)|api key|clave api|everything above|words above|todo lo anterior)"
)
_GAP = r"(?: \w+){0,6}? "
_PHRASES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b{_FORGET}(?: \w+){{0,5}} {_OBJECT}\b",
        rf"\b{_FORGET} (?:todo )?(?:lo anterior|el contexto|everything|all (?:of )?the above|what you were told|lo que te dijeron)",
        rf"\b{_TELL}{_GAP}{_SECRET}",
        rf"\b{_TELL} {_SECRET}",
        r"\b(?:you are|eres|actua|act|respond(?:e)?|compor\w+) (?:now|ahora|como|as|from now on)(?: \w+){0,4} "
        r"(?:dan|jailbreak\w*|sin (?:restricciones|filtros|limites|reglas)|unrestricted|developer mode|modo desarrollador|administrador|root|otra ia|"
        r"(?:an? )?(?:ai|model|assistant|pirate|linux terminal|terminal))",
        r"\b(?:eres|you are) (?:ahora|now) ",
        r"\b(?:developer|desarrollador|debug|god|dios|dan|admin|root|mantenimiento|maintenance) (?:mode|modo)\b",
        r"\bmodo (?:desarrollador|dios|depuracion|dan|administrador|mantenimiento|sin restricciones)\b",
        r"\b(?:nueva|nuevas|new|updated|actualizadas?) (?:tarea|instruccion(?:es)?|task|instructions?|system prompt)\b",
        r"\b(?:nueva|new|last|ultima) (?:orden|order) (?:es |is )?(?:di|escribe|responde|ignora|say|write|answer|ignore)\b",
        r"\b(?:end|fin) (?:of|de|del|de los) (?:documents?|documentos?|data|datos|context|contexto|system|sistema|prompt|user|input)\b",
        r"\b(?:begin|inicio|comienza|start) (?:of |de |del )?(?:new |nuev\w+ )?(?:system|sistema|instructions?|instrucciones|prompt)\b",
        r"\b(?:system|sistema|assistant|asistente|developer) (?:message|mensaje|prompt|override|note|nota|notice|aviso)\b",
        r"\b(?:im start|im end|inst|endoftext|eot id|start header id|sys|begin of text)\b(?= (?:system|user|assistant|developer)\b)",
        r"\b(?:language model|modelo de lenguaje|asistente de ia|ai assistant|large language|chatgpt|llm|gpt)\b(?: \w+){0,8} "
        r"(?:must|should|debe\w*|tiene que|responde\w*|output|write|escrib\w+|answer|say|di|ignora|ignore|obey|obedece\w*|lee esto|reading this)\b",
        r"\b(?:if you are|si eres|si es usted) (?:an? |una? )?(?:ai|ia|llm|language|modelo|asistente|bot|assistant)\b",
        r"\b(?:responde|contesta|answer|respond|reply|output|escribe|write|print|say) (?:only|solo|solamente|unicamente|exactly|exactamente)\b"
        r"(?: \w+){0,3} (?:with|con|the word|la palabra|la frase|json|the following|lo siguiente|this|esto|hacked|pwned|si)\b",
        r"\b(?:call|invoke|llama|invoca|ejecuta|execute|run|usa|use) (?:the |la |el |a la )?(?:tool|herramienta|function|funcion|comando|command|plugin|"
        r"send email|delete\w*|borrar\w*|transfer\w*|shell|bash|browser|navegador)\b",
        r"\b(?:tool calls?|function call|role (?:system|assistant|tool))\b",
        r"\b(?:classify|clasifica|etiqueta|label|marca|rate|califica|puntua)(?: \w+){0,3} (?:all|every|todo\w*|cada|this|este|esta|esto)(?: \w+){0,5} (?:as|como|con)\b",
        r"\b(?:your|tu) (?:real|verdadera|true|new|nueva|actual) (?:task|tarea|job|mision|goal|objetivo|purpose)\b",
        r"\bin your (?:summary|answer|response|output)\b",
        r"\ben (?:tu|su) (?:resumen|respuesta|analisis) (?:incluye|agrega|anade|pon|escribe|di|omite|no menciones|debes)\b",
        r"\b(?:incluye|agrega|anade|pon|inserta|include|append|insert|add)(?: \w+){0,4} (?:enlace|link|imagen|image|url|markdown|html|script)\b",
        r"\b(?:decode|decodifica|descifra|base64|rot13)(?: \w+){0,6} (?:obey|obedece|follow|sigue|execute|ejecuta|haz|do|instruct\w+|instruccion\w*)\b",
        r"\b(?:pretend|finge|imagina|simula|suppose|hypothetically) (?:that |que )?(?:you|eres|tu|no tienes|estas|ser)\b",
        r"\b(?:jailbreak|prompt injection|do anything now)\b",
    )
)


# The first four letters of words; every phrase has two words that begin so, and other texts are not searched.
_BEGINNINGS = frozenset(
    """
    igno olvi deso desc omit disr forg bypa over anul salt siga foll reve mues repi impr escr copi trad resu di dime
    dino prin show repe outp disp leak dump tran summ tell you eres actu act resp comp deve desa debu god dios dan
    admi root mant main modo mode nuev new upda end fin begi inic comi star syst sist assi asis im inst endo eot sys
    lang ai larg chat llm gpt are us uste cont answ repl writ say call invo llam ejec exec run usa use tool func role
    clas etiq labe marc rate cali punt your tu in en incl agre anad pon inse appe add deco desc base rot1 pret fing
    imag simu supp hypo jail prom do text
    """.split()  # noqa: SIM905 -- a hundred quoted words would be no easier to read
)


def is_injection(text: str) -> bool:
    """Return whether ``text`` gives orders to a language model."""
    return any(pattern.search(view) for view in set(_views(text)) if _may_match(view) for pattern in _PHRASES)


def _may_match(view: str) -> bool:
    words = {word[:4] for word in view.split()}
    return len(words & _BEGINNINGS) > 1


def _views(text: str) -> Iterator[str]:
    plain = without_disguise(text)
    yield plain
    yield _SPACED.sub(lambda match: match[0].replace(" ", ""), plain)
    yield without_disguise(text.translate(_LEET))
    yield without_disguise(text[::-1])
    yield without_disguise(codecs.encode(text, "rot13"))
    yield from map(without_disguise, decoded(text))


def without_disguise(text: str) -> str:
    """Return the lower-case ASCII words of ``text``, one space apart.

    It does more than ``fold``: Cyrillic and Greek look-alikes become Latin, what cannot be seen is dropped, and tag
    characters, which models read and people do not, are decoded.
    """
    spread = normal_form("NFKD", text.casefold()).translate(_LOOKALIKES)
    visible = "".join(char for char in spread if unicodedata.category(char) not in ("Mn", "Cf", "Cc") or char in "\n\t")
    tagged = "".join(chr(ord(char) - 0xE0000) for char in text if 0xE0020 <= ord(char) < 0xE007F)
    return f"{_NOT_WORD.sub(' ', visible)} {_NOT_WORD.sub(' ', tagged.lower())}".strip()


def decoded(text: str) -> Iterator[str]:
    """Yield the decoded pieces of ``text`` that are base64 or hexadecimal digits."""
    for match in _BASE64.finditer(text):
        piece = match[0].rstrip("=").replace("-", "+").replace("_", "/")
        try:
            yield base64.b64decode(piece + "=" * (-len(piece) % 4)).decode(errors="ignore")
        except (binascii.Error, ValueError):
            continue
    for match in _HEX.finditer(text):
        yield bytes.fromhex(re.sub(r"[\s:]", "", match[0])).decode(errors="ignore")
