"""The bundled encoder: shape, roles, meaning, robustness."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from openai_service.embeddings.transformer import MODEL, TransformerEncoder, prepare, runs


def similarity(encoder: TransformerEncoder, left: str, right: str) -> float:
    """Cosine of two texts."""
    a, b = encoder.encode([left, right])
    return float(a @ b)


def test_vectors_are_float32_unit_and_of_the_declared_length(encoder: TransformerEncoder) -> None:
    """Every vector is float32, has `dimensions` numbers and length one."""
    vectors = encoder.encode(["hola", "El paro nacional bloqueó las vías.", "😡😡", "", "palabra " * 2000])
    assert vectors.dtype == np.float32
    assert vectors.shape == (5, encoder.dimensions)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(5), abs=1e-5)
    assert encoder.model == MODEL


def test_no_texts_give_no_vectors(encoder: TransformerEncoder) -> None:
    """An empty batch keeps the vector length and has no rows."""
    assert encoder.encode([]).shape == (0, encoder.dimensions)


def test_a_bare_string_is_refused(encoder: TransformerEncoder) -> None:
    """A single string is not silently read as letters."""
    with pytest.raises(TypeError, match="wrap a single text in a list"):
        encoder.encode("hola")


@pytest.mark.parametrize("role", ["query", "passage"])
def test_a_text_has_one_vector_whatever_the_batch(encoder: TransformerEncoder, role: str) -> None:
    """A vector depends on its text and role alone, bit for bit, also from several threads and a second load."""
    texts = [f"El candidato {n} habló de salud, empleo y seguridad" + " en Bogotá" * (n % 7) for n in range(40)]
    batch = encoder.encode(texts, role)  # type: ignore[arg-type]
    with ThreadPoolExecutor(4) as pool:
        singles = np.vstack(list(pool.map(lambda text: encoder.encode([text], role), texts)))  # type: ignore[arg-type]
    assert np.array_equal(batch, singles)
    assert np.array_equal(batch, TransformerEncoder.load().encode(texts, role))  # type: ignore[arg-type]


def test_the_roles_differ_and_meet(encoder: TransformerEncoder) -> None:
    """The same text as a query and as a passage has two vectors, near each other."""
    text = ["La alcaldesa inauguró el nuevo puente peatonal."]
    asked, stored = encoder.encode(text), encoder.encode(text, "passage")
    assert not np.array_equal(asked, stored)
    assert float((asked * stored).sum()) > 0.7


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("debate en la plenaria", "debate en la plenaria https://t.co/aB3dE"),
        ("cafe\u0301 de Colombia", "café de Colombia"),
        ("salud &amp; educación", "salud  &\neducación"),
        ("#ReformaLaboral ya", "Reforma Laboral ya"),
    ],
)
def test_links_marks_entities_and_spaces_do_not_count(encoder: TransformerEncoder, left: str, right: str) -> None:
    """Two spellings of one text have the same vector."""
    assert similarity(encoder, left, right) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        ("#NoMásMentiras en #Cali2026", "No Más Mentiras en Cali2026"),
        ("#paro_nacional a#b", "paro nacional a#b"),
        ("mire https://x.co/a?b=c esto", "mire esto"),
        ("Costó $4.500 😡", "Costó $4.500 😡"),
    ],
)
def test_what_the_encoder_reads(text: str, prepared: str) -> None:
    """Hashtags become words and links go; numbers, case and emoji stay."""
    assert prepare(text) == prepared


@pytest.mark.parametrize(
    ("query", "right", "wrong"),
    [
        ("falta de medicinas", "escasean los medicamentos en las farmacias", "se inauguró el estadio de fútbol"),
        ("sueldo básico", "el salario mínimo subió en enero", "el volcán lanzó ceniza esta mañana"),
        ("robo de celulares", "denuncian hurtos de teléfonos en el bus", "la senadora votó la reforma de salud"),
        ("los jóvenes no tienen trabajo", "aumenta el desempleo juvenil", "concierto de salsa en la feria"),
        ("compra de votos", "ofrecían dinero a cambio del sufragio", "llovió toda la noche en la montaña"),
        ("we want free elections", "queremos elecciones libres", "el precio del café subió en Nueva York"),
    ],
)
def test_a_paraphrase_is_nearer_than_another_subject(
    encoder: TransformerEncoder, query: str, right: str, wrong: str
) -> None:
    """Meaning counts: a paraphrase without shared content words beats a text about something else."""
    asked = encoder.encode([query])[0]
    near, far = encoder.encode([right, wrong], "passage")
    assert asked @ near > asked @ far + 0.2


@pytest.mark.parametrize("text", ["", "  \n\t ", "¿?!... —", "Россия", "\x00", "http://x.co"])
def test_a_text_without_information_gets_the_neutral_vector(encoder: TransformerEncoder, text: str) -> None:
    """Texts with nothing known share one vector that resembles no real text."""
    assert similarity(encoder, text, "") == pytest.approx(1)
    assert abs(similarity(encoder, text, "El presidente habló de la paz en el Congreso")) < 0.2


def test_an_emoji_is_information(encoder: TransformerEncoder) -> None:
    """Emoji-only posts differ from blank ones and from each other."""
    assert similarity(encoder, "😡😡😡", "") < 0.5
    assert similarity(encoder, "😡", "🎉") < 0.9


def test_an_unknown_word_does_not_erase_its_neighbours(encoder: TransformerEncoder) -> None:
    """A word of another script shifts a sentence but does not make it unrecognisable."""
    assert similarity(encoder, "subió el precio de la gasolina", "subió el precio de la gasolina Ж") > 0.8


def test_a_long_text_is_read_up_to_a_bound(encoder: TransformerEncoder) -> None:
    """Tokens beyond 512 change nothing and cost no time."""
    long = "La comisión discutió el presupuesto de la ciudad. " * 100
    ids = encoder.read([long, long + "Y el volcán hizo erupción."], "passage")
    assert [len(tokens) for tokens in ids] == [512, 512]
    assert ids[0] == ids[1]


def test_runs_hold_one_length_and_stay_small() -> None:
    """Every text is in one run, beside texts of its length only, and few tokens or one text are in a run."""
    ids = [[7] * (1 + n % 5 * 40) for n in range(50)] + [[7] * 400]
    found = list(runs(ids, budget=256))
    assert sorted(row for rows in found for row in rows) == list(range(51))
    for rows in found:
        assert len({len(ids[row]) for row in rows}) == 1
        assert len(rows) == 1 or sum(len(ids[row]) for row in rows) <= 256
