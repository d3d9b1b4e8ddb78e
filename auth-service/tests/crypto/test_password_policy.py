"""Which passwords are accepted."""

from __future__ import annotations

import time

import pytest
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from auth_service.crypto.password_policy import CONTEXT_WORDS, MIN_CHARACTERS, estimated_part, why_weak


def test_every_common_password_is_refused_brought_to_length() -> None:
    """Each of 30,000 common passwords, filled up with digits to the least length, is refused with a reason."""
    common = list(FREQUENCY_LISTS["passwords"])
    assert len(common) >= 30_000
    passed = [
        word for word in common if why_weak(word + "1234567890"[: max(0, MIN_CHARACTERS - len(word))], "") is None
    ]
    assert passed == []


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("qazwsxedcrfvtgb", "most common"),
        ("Manchester1986", "most common"),
        ("abcdefghijklm", "easy to guess"),
        ("castor-castor-1", "castor"),
        ("Consuelo-Diaz1", "consuelo"),
        ("!Consuelo!2026", "most common"),
        ("example.com.co", "example"),
        ("short", "shorter than 10"),
    ],
)
def test_the_reason_is_told(password: str, why: str) -> None:
    """Lists, keyboards, sequences, the product's name, the owner's name and address each have their sentence."""
    reason = why_weak(password, "consuelo.diaz@example.com", "Consuelo")
    assert reason is not None
    assert why in reason


def test_words_of_the_context_may_be_part_of_a_long_password() -> None:
    """A context word spoils only a password that is little more than it."""
    assert why_weak("mi castor prefiere el agua fria", "ana@example.com") is None
    for word in CONTEXT_WORDS:
        assert why_weak(f"{word}-99!!", "ana@example.com") is not None


def test_no_password_costs_more_than_a_few_ordinary_ones() -> None:
    """72 signs that stand for letters cost at most 40 times the CPU of an ordinary password of that length."""
    ordinary = "cuatro caballos lentos y unos burros que no quieren correr por el monte"
    seconds = {}
    for password in (ordinary, ("4@({[<3690!1|75$+%82" * 4)[:72]):
        why_weak(password, "ana@example.com")
        started = time.thread_time()
        why_weak(password, "ana@example.com")
        seconds[password] = time.thread_time() - started
    usual, hostile = seconds.values()
    assert hostile < 40 * usual


def test_signs_for_letters_are_still_read() -> None:
    """The bound leaves passwords of people as they are, and an easy one with signs for letters is refused."""
    for password in ("P@$$w0rd123!", "m4nch3st3r-1986", "C0l0mb1a!2026", "tR7#kkq0Zp"):
        assert estimated_part(password) == password
    assert why_weak("P@$$w0rd123!", "ana@example.com") is not None


def test_any_text_is_judged() -> None:
    """Long and strange passwords get an answer and no error; only the easy ones are refused."""
    answers = {
        password: why_weak(password, "ana@example.com") is None
        for password in ("ab" * 128, "ñandú 🗳 y cóndor 🗳 " * 12, "tR7#kkq0Zp" * 25, "\x01\x02 tR7#kkq0Zp", "a" * 256)
    }
    assert list(answers.values()) == [False, True, True, True, False]


@pytest.mark.parametrize(
    "password",
    ["123456789", "1234567890", "Contraseña2026", "!!qwerty!!", "Petropresidente", "Password.123", "MEDELLIN 2024"],
)
def test_common_passwords_are_weak(password: str) -> None:
    """Common ones are found whatever their case and the digits and signs around them."""
    assert why_weak(password, "ana@example.com") is not None


@pytest.mark.parametrize("password", ["cuatro caballos lentos", "tR7#kkq0Zp", "0918273645x!", "ñandú-azul-42"])
def test_uncommon_passwords_pass(password: str) -> None:
    """There are no rules of composition: long and uncommon is enough."""
    assert why_weak(password, "ana@example.com") is None
