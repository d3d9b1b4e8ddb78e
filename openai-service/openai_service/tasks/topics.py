"""The ten axes of the Plan Nacional de Desarrollo 2022-2026, by which documents are classified unless labels are given.

The terms are those by which twitter-service finds axes in tweets; a test holds the two lists equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from openai_service.extractive.ranker import words


@dataclass(frozen=True, slots=True)
class Axis:
    """A topic: its slug, its name for people, and the terms that belong to it."""

    slug: str
    name: str
    terms: tuple[str, ...]


def _axis(slug: str, name: str, terms: str) -> Axis:
    return Axis(slug, name, tuple(terms.split(", ")))


AXES = (
    _axis(
        "seguridad",
        "Seguridad",
        "seguridad, inseguridad, seguridad ciudadana, orden público, delincuencia, delincuente, delito, "
        "crimen, criminal, criminalidad, policía, violencia, robo, hurto, atraco, homicidio, asesinato, "
        "extorsión, secuestro, mano dura, cárcel, narco, narcotráfico, narcotraficante, sicario, "
        "guerrilla",
    ),
    _axis(
        "infraestructura",
        "Infraestructura",
        "infraestructura, vías, malla vial, vías terciarias, carretera, autopista, puente, transporte, "
        "transporte público, aeropuerto, construcción, obra pública, obras, metro de Bogotá, metro de "
        "Medellín, Transmilenio, ferrocarril, acueducto",
    ),
    _axis(
        "gobernanza",
        "Gobernanza y Transparencia",
        "gobernanza, transparencia, corrupción, corrupto, corrupta, gobierno, congreso, congresista, "
        "senado, senador, senadora, cámara de representantes, político, política, elección, elecciones, "
        "voto, votación, democracia, democrático, democrática, presidente, presidencia, Registraduría, "
        "Contraloría, Procuraduría",
    ),
    _axis(
        "educacion",
        "Educación",
        "educación, educativo, educativa, colegio, universidad, universitario, universitaria, estudiante, "
        "profesor, profesora, maestro, maestra, docente, escuela, beca, matrícula, ICETEX, aprendizaje",
    ),
    _axis(
        "salud",
        "Salud",
        "salud, sistema de salud, hospital, médico, médica, medicamento, medicina, EPS, enfermedad, "
        "enfermo, vacuna, vacunación, clínica, paciente, pandemia, atención médica",
    ),
    _axis(
        "igualdad",
        "Igualdad y Equidad",
        "igualdad, desigualdad, equidad, inequidad, género, mujer, feminismo, feminista, feminicidio, "
        "discriminación, racismo, inclusión, diversidad, LGBT, LGBTI, LGBTIQ, afrocolombiano, "
        "afrocolombiana, indígena",
    ),
    _axis(
        "paz",
        "Paz y Reinserción",
        "paz, paz total, acuerdo de paz, proceso de paz, diálogo, acuerdo, FARC, ELN, disidencia, "
        "guerrilla, reconciliación, víctima, reintegración, reinserción, reincorporación, conflicto, "
        "conflicto armado, cese al fuego, JEP, desplazado, desplazada",
    ),
    _axis(
        "economia",
        "Economía y Empleo",
        "economía, económico, económica, empleo, desempleo, trabajo, trabajador, trabajadora, empresa, "
        "empresario, empresaria, negocio, impuesto, reforma tributaria, inflación, dólar, precio, "
        "salario, salario mínimo, pensión, reforma pensional, reforma laboral, devaluación, deuda",
    ),
    _axis(
        "medioambiente",
        "Medio Ambiente y Cambio Climático",
        "medio ambiente, medioambiente, ambiental, clima, cambio climático, climático, climática, "
        "contaminación, deforestación, agua, energía, energía limpia, transición energética, sostenible, "
        "sostenibilidad, ecología, ecológico, ecológica, parque natural, naturaleza, reciclaje, páramo, "
        "biodiversidad, fracking, minería ilegal",
    ),
    _axis(
        "alimentacion",
        "Alimentación",
        "alimentación, alimento, comida, hambre, desnutrición, seguridad alimentaria, soberanía "
        "alimentaria, campo, agricultura, agrícola, agricultor, campesino, campesina, cosecha, reforma "
        "agraria, rural, ganadería, ganadero",
    ),
)


class TermMatcher:
    """Counts the terms of each axis in a text; without terms the words of the name count.

    A term matches where its stems stand one after another. A longer term hides the terms within it: "seguridad
    alimentaria" is food, not security.
    """

    def __init__(self, axes: Sequence[Axis]) -> None:
        self._size = len(axes)
        self._places: dict[tuple[str, ...], set[int]] = {}
        for place, axis in enumerate(axes):
            for stems in _terms_of(axis):
                if stems:
                    self._places.setdefault(stems, set()).add(place)
        self._longest = max(map(len, self._places), default=0)

    def counts(self, text: str) -> list[int]:
        """Return how many different terms of each axis ``text`` contains, in the order of the axes."""
        stems = words(text)
        found: set[tuple[str, ...]] = set()
        at = 0
        while at < len(stems):
            term = self._term_at(stems, at)
            found.add(term)
            at += len(term) or 1
        return [sum(place in self._places.get(term, ()) for term in found) for place in range(self._size)]

    def _term_at(self, stems: Sequence[str], at: int) -> tuple[str, ...]:
        """Return the longest term that begins at ``at``; empty where there is none."""
        candidates = (tuple(stems[at : at + length]) for length in range(self._longest, 0, -1))
        return next((term for term in candidates if term in self._places), ())


def _terms_of(axis: Axis) -> list[tuple[str, ...]]:
    """Return the stems of each term, or of each word of the name where there are no terms."""
    if axis.terms:
        return [tuple(words(term)) for term in axis.terms]
    return [(stem,) for stem in words(axis.name)]
