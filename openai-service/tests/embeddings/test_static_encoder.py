"""The fast encoder: shape, meaning, robustness."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from openai_service.embeddings.static_encoder import StaticEncoder


@pytest.fixture(scope="module")
def encoder() -> StaticEncoder:
    """The encoder as shipped."""
    return StaticEncoder.load()


def similarity(encoder: StaticEncoder, left: str, right: str) -> float:
    """Cosine of two texts."""
    a, b = encoder.encode([left, right])
    return float(a @ b)


def test_vectors_are_float32_unit_and_of_the_declared_length(encoder: StaticEncoder) -> None:
    """Every vector is float32, has `dimensions` numbers and length one."""
    vectors = encoder.encode(["hola", "El paro nacional bloqueó las vías.", "😡😡", ""])
    assert vectors.dtype == np.float32
    assert vectors.shape == (4, encoder.dimensions)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(4), abs=1e-5)


def test_no_texts_give_no_vectors(encoder: StaticEncoder) -> None:
    """An empty batch keeps the vector length and has no rows."""
    assert encoder.encode([]).shape == (0, encoder.dimensions)


def test_a_bare_string_is_refused(encoder: StaticEncoder) -> None:
    """A single string is not silently read as letters."""
    with pytest.raises(TypeError, match="wrap a single text in a list"):
        encoder.encode("hola")


def test_a_text_has_one_vector_whatever_the_batch(encoder: StaticEncoder) -> None:
    """A vector depends on its text alone, bit for bit, also from several threads and a second load."""
    texts = [f"El candidato {n} habló de salud, empleo y seguridad" + " en Bogotá" * (n % 7) for n in range(60)]
    batch = encoder.encode(texts)
    with ThreadPoolExecutor(4) as pool:
        singles = np.vstack(list(pool.map(lambda text: encoder.encode([text]), texts)))
    assert np.array_equal(batch, singles)
    assert np.array_equal(batch, StaticEncoder.load().encode(texts))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("educación pública en Bogotá", "EDUCACION PUBLICA EN BOGOTA"),
        ("la reforma tributaria", "¡¡La reforma, tributaria!!"),
        ("debate en la plenaria", "debate en la plenaria https://t.co/aB3dE"),
        ("cafe\u0301 de Colombia", "café de Colombia"),
    ],
)
def test_case_accents_punctuation_and_links_do_not_count(encoder: StaticEncoder, left: str, right: str) -> None:
    """Two spellings of one text have the same vector."""
    assert similarity(encoder, left, right) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("query", "right", "wrong"),
    [
        (
            "falta de medicinas",
            "escasean los medicamentos en las farmacias",
            "se inauguró el estadio de fútbol",
        ),
        ("sueldo básico", "el salario mínimo subió en enero", "el volcán lanzó ceniza esta mañana"),
        (
            "robo de celulares",
            "denuncian hurtos de teléfonos en el bus",
            "la senadora votó la reforma de salud",
        ),
        ("los jóvenes no tienen trabajo", "aumenta el desempleo juvenil", "concierto de salsa en la feria"),
        ("compra de votos", "ofrecían dinero a cambio del sufragio", "llovió toda la noche en la montaña"),
    ],
)
def test_a_paraphrase_is_nearer_than_another_subject(
    encoder: StaticEncoder, query: str, right: str, wrong: str
) -> None:
    """Meaning counts: a paraphrase without shared content words beats a text about something else."""
    assert similarity(encoder, query, right) > similarity(encoder, query, wrong) + 0.1


def test_a_glued_hashtag_is_read_as_its_words(encoder: StaticEncoder) -> None:
    """An unseen compound is cut into known words and lands near them."""
    assert similarity(encoder, "#reformalaboral", "reforma laboral") > 0.8


@pytest.mark.parametrize("text", ["", "  \n\t ", "¿?!... —", "Россия", "\x00", "http://x.co"])
def test_a_text_without_information_gets_the_neutral_vector(encoder: StaticEncoder, text: str) -> None:
    """Texts with nothing known share one vector that resembles no real text."""
    assert similarity(encoder, text, "") == pytest.approx(1)
    assert abs(similarity(encoder, text, "El presidente habló de la paz en el Congreso")) < 0.3


def test_an_emoji_is_information(encoder: StaticEncoder) -> None:
    """Emoji-only posts differ from blank ones and from each other."""
    assert similarity(encoder, "😡😡😡", "") < 0.5
    assert similarity(encoder, "😡", "🎉") < 0.9


def test_an_unknown_word_does_not_erase_its_neighbours(encoder: StaticEncoder) -> None:
    """A nonsense word shifts a sentence but does not make it unrecognisable."""
    assert similarity(encoder, "subió el precio de la gasolina", "subió el precio de la gasolina 🫠Ж") > 0.95
