"""The ten axes of the Plan Nacional de Desarrollo 2022-2026, found by their terms in the text of a tweet.

Terms match as whole words, without case and accents; of a single word its plural matches too. Left out are
words that mostly mean something else: "vía" (vía @medio), "orden", "peso", "tierra" and "metro" alone, and
names of persons, which are entities. A tweet counts for every axis that one of its terms names, or for none.
"""

from __future__ import annotations

from functools import cache
from types import MappingProxyType

from twitter_service.matching.folding import fold
from twitter_service.matching.phrases import Phrases, Words

AXES = MappingProxyType(
    {
        "seguridad": (
            "seguridad, inseguridad, seguridad ciudadana, orden público, delincuencia, delincuente, delito, "
            "crimen, criminal, criminalidad, policía, violencia, robo, hurto, atraco, homicidio, asesinato, "
            "extorsión, secuestro, mano dura, cárcel, narco, narcotráfico, narcotraficante, sicario, "
            "guerrilla"
        ),
        "infraestructura": (
            "infraestructura, vías, malla vial, vías terciarias, carretera, autopista, puente, transporte, "
            "transporte público, aeropuerto, construcción, obra pública, obras, metro de Bogotá, metro de "
            "Medellín, Transmilenio, ferrocarril, acueducto"
        ),
        "gobernanza": (
            "gobernanza, transparencia, corrupción, corrupto, corrupta, gobierno, congreso, congresista, "
            "senado, senador, senadora, cámara de representantes, político, política, elección, elecciones, "
            "voto, votación, democracia, democrático, democrática, presidente, presidencia, Registraduría, "
            "Contraloría, Procuraduría"
        ),
        "educacion": (
            "educación, educativo, educativa, colegio, universidad, universitario, universitaria, estudiante, "
            "profesor, profesora, maestro, maestra, docente, escuela, beca, matrícula, ICETEX, aprendizaje"
        ),
        "salud": (
            "salud, sistema de salud, hospital, médico, médica, medicamento, medicina, EPS, enfermedad, "
            "enfermo, vacuna, vacunación, clínica, paciente, pandemia, atención médica"
        ),
        "igualdad": (
            "igualdad, desigualdad, equidad, inequidad, género, mujer, feminismo, feminista, feminicidio, "
            "discriminación, racismo, inclusión, diversidad, LGBT, LGBTI, LGBTIQ, afrocolombiano, "
            "afrocolombiana, indígena"
        ),
        "paz": (
            "paz, paz total, acuerdo de paz, proceso de paz, diálogo, acuerdo, FARC, ELN, disidencia, "
            "guerrilla, reconciliación, víctima, reintegración, reinserción, reincorporación, conflicto, "
            "conflicto armado, cese al fuego, JEP, desplazado, desplazada"
        ),
        "economia": (
            "economía, económico, económica, empleo, desempleo, trabajo, trabajador, trabajadora, empresa, "
            "empresario, empresaria, negocio, impuesto, reforma tributaria, inflación, dólar, precio, "
            "salario, salario mínimo, pensión, reforma pensional, reforma laboral, devaluación, deuda"
        ),
        "medioambiente": (
            "medio ambiente, medioambiente, ambiental, clima, cambio climático, climático, climática, "
            "contaminación, deforestación, agua, energía, energía limpia, transición energética, sostenible, "
            "sostenibilidad, ecología, ecológico, ecológica, parque natural, naturaleza, reciclaje, páramo, "
            "biodiversidad, fracking, minería ilegal"
        ),
        "alimentacion": (
            "alimentación, alimento, comida, hambre, desnutrición, seguridad alimentaria, soberanía "
            "alimentaria, campo, agricultura, agrícola, agricultor, campesino, campesina, cosecha, reforma "
            "agraria, rural, ganadería, ganadero"
        ),
    }
)


def axes_in(words: Words) -> list[str]:
    """Return the slugs of the axes whose terms occur in a text, in alphabetical order."""
    return sorted(_phrases().found_in(words.plain))


@cache
def _phrases() -> Phrases[str]:
    meanings: dict[str, set[str]] = {}
    for axis, terms in AXES.items():
        for term in terms.split(", "):
            for form in _forms(term):
                meanings.setdefault(form, set()).add(axis)
    # "Seguridad alimentaria" is food, not security: a longer term that belongs elsewhere takes its words along.
    return Phrases(meanings, longest=True)


def _forms(term: str) -> tuple[str, ...]:
    folded = fold(term)
    if " " in folded or folded.endswith("s"):
        return (folded,)
    if folded.endswith("z"):
        return (folded, folded[:-1] + "ces")
    return (folded, folded + ("s" if folded[-1] in "aeiou" else "es"))
