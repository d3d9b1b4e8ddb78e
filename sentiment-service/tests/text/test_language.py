"""The language guard."""

import pytest

from sentiment_service.text.language import Language, detect, unscored_reason


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hoy salimos a las calles porque este país puede cambiar", "es"),
        ("Vamos Colombia", "es"),
        ("#ElCambioEsImparable", "es"),
        ("El examen no fue tan difícil", "es"),
        ("The debate tonight was a disgrace and they know it", "en"),
        ("Não acredito que você vai votar nele, que tristeza", "pt"),
        ("Je ne sais pas pourquoi il est avec nous ce soir", "other"),
        ("Non so perché questo governo ha fatto così", "other"),
        ("Das ist nicht gut für die Leute und auch für mich", "other"),
        ("وصلنا لاقتصاد أسوأ", "other"),
        ("これはひどい", "other"),
        ("", "none"),
        ("https://t.co/abc @quien 💚💪 2022 !!!", "emoji"),
        (":-(", "emoji"),
        ("https://t.co/abc @quien 2022 !!!", "none"),
        ("RT @quien: https://t.co/abc", "none"),
    ],
)
def test_detects(text: str, language: Language) -> None:
    """Known languages, foreign ones and texts without words are told apart."""
    assert detect(text) == language


@pytest.mark.parametrize("language", ["es", "en", "pt", "emoji"])
def test_known_languages_are_scored(language: Language) -> None:
    """A text in a language of the model, or of emoji alone, has no reason to stay unscored."""
    assert unscored_reason(language) is None


def test_unscored_reasons_differ() -> None:
    """A text without words and a foreign text are refused with different sentences that name the cause."""
    assert "no words" in str(unscored_reason("none"))
    assert "language" in str(unscored_reason("other"))


def test_known_languages_are_the_models() -> None:
    """What a model does not know stays unscored for that model, and the sentence names both sides."""
    reason = str(unscored_reason("en", known=("es",)))
    assert "in English" in reason
    assert "it knows Spanish)" in reason
