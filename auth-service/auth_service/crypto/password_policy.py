"""Which passwords are accepted.

After NIST SP 800-63B-4 section 3.1.1.2: a minimum length, lists of common passwords and of words that belong to the
context, and an estimate of how soon it would be guessed; no rules of composition.
"""

from __future__ import annotations

import json
import re
import string
from collections.abc import Callable, Iterable
from functools import cache
from importlib import resources

MIN_CHARACTERS = 10
MAX_CHARACTERS = 256
CONTEXT_WORDS = ("castor", "elecciones", "electoral", "campaña", "campana", "candidato", "candidata", "colombia")
"""Words that belong to the product; docs/security/asvs.md names them (6.1.2)."""
_BESIDE_A_WORD = 8
_ESTIMATED_CHARACTERS = 40
"""Longer ones are judged by their beginning: the cost of the estimate grows with the cube of the length."""
_MAX_SUBSTITUTIONS = 16
"""Readings of a password such as 'p4ssw0rd' that the estimate tries; they multiply with each digit and sign."""
_MIN_ZXCVBN_SCORE = 3
_AROUND_A_WORD = string.digits + string.punctuation + " "
_ADVICE = "choose several unrelated words"


@cache
def _common() -> frozenset[str]:
    # Imported late: the lists take megabytes, and exporting the contract needs none.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    lines = (resources.files("auth_service.crypto") / "common_passwords.txt").read_text().splitlines()
    lists = (FREQUENCY_LISTS[name] for name in ("passwords", "female_names", "male_names"))
    return frozenset(line for line in lines if line and not line.startswith("#")).union(*lists)


def why_weak(password: str, email: str, *personal: str) -> str | None:
    """Return in one sentence why ``password`` is refused for the account of ``email``, or None if it is accepted.

    ``password`` is composed (see ``composition``); ``personal`` are names of its owner. Takes tens of milliseconds of
    CPU: call it through ``PasswordJudge``.
    """
    if len(password) < MIN_CHARACTERS:
        return f"The password is shorter than {MIN_CHARACTERS} characters; choose a longer one"
    plain = password.casefold()
    if len(set(plain)) == 1:
        return f"The password repeats one character; {_ADVICE}"
    if plain in _common() or plain.strip(_AROUND_A_WORD) in _common():
        return f"The password is among the most common ones; {_ADVICE}"
    if plain in (email.casefold(), email.casefold().partition("@")[0]):
        return f"The password is the e-mail address; {_ADVICE}"
    about = _words(email, *personal)
    for word in (*about, *CONTEXT_WORDS):
        if word in plain and len(plain.replace(word, "")) < _BESIDE_A_WORD:
            return f"The password is little more than '{word}', which anybody would try; {_ADVICE}"
    return _why_guessable(password, [*about, *CONTEXT_WORDS])


def _words(*texts: str) -> list[str]:
    found = {word for text in texts for word in re.split(r"[\W_]+", text.casefold())}
    return sorted(word for word in found if len(word) >= 4)


def estimated_part(password: str) -> str:
    """Return what the estimate sees: the beginning, without signs whose readings would exceed the bound.

    zxcvbn reads a 1 as i or l and a ( as c, in every combination: 21 such signs have more than 1,000 readings, each as
    expensive as a password of its own. What is left out makes the password look shorter, never stronger.
    """
    from zxcvbn.matching import L33T_TABLE, enumerate_l33t_subs, relevant_l33t_subtable

    signs = {sign for signs in L33T_TABLE.values() for sign in signs}
    kept = ""
    for sign in dict.fromkeys(letter for letter in password[:_ESTIMATED_CHARACTERS] if letter in signs):
        if len(enumerate_l33t_subs(relevant_l33t_subtable(kept + sign, L33T_TABLE))) <= _MAX_SUBSTITUTIONS:
            kept += sign
    return "".join(letter for letter in password[:_ESTIMATED_CHARACTERS] if letter not in signs or letter in kept)


def _why_guessable(password: str, about: list[str]) -> str | None:
    from zxcvbn import zxcvbn

    found = zxcvbn(estimated_part(password), user_inputs=about)
    if found["score"] >= _MIN_ZXCVBN_SCORE:
        return None
    warning = str(found["feedback"]["warning"]).rstrip(".")
    return f"The password is easy to guess{f' ({warning})' if warning else ''}; {_ADVICE}"


def answering() -> Callable[[bytes], Iterable[bytes]]:
    """Return what answers ``PasswordJudge`` in its process: the arguments of ``why_weak`` with its result, as JSON."""
    return lambda question: [json.dumps(why_weak(*json.loads(question))).encode()]
