"""The ten axes of the Plan Nacional de Desarrollo 2022-2026, by which posts are classified unless labels are given."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Axis:
    """A topic: its slug, its name for people, and stems of words that belong to it."""

    slug: str
    name: str
    terms: tuple[str, ...]


def _axis(slug: str, name: str, terms: str) -> Axis:
    return Axis(slug, name, tuple(terms.split()))


AXES = (
    _axis(
        "seguridad",
        "Seguridad",
        "seguridad inseguridad delincuencia delincuente crimen criminal policia delito violencia robo atraco hurto "
        "extorsion homicidio asesinato carcel narcotrafico narco sicario secuestro soldado ejercito",
    ),
    _axis(
        "infraestructura",
        "Infraestructura",
        "infraestructura via vias carretera puente metro transporte aeropuerto construccion obra obras peaje "
        "transmilenio tren autopista hueco huecos pavimento trancon",
    ),
    _axis(
        "gobernanza",
        "Gobernanza y Transparencia",
        "gobernanza transparencia corrupcion corrupto gobierno congreso senado senador politico eleccion elecciones "
        "voto votos democracia presidente soborno contrato clientelismo fraude registraduria constitucion",
    ),
    _axis(
        "educacion",
        "Educación",
        "educacion colegio colegios universidad universidades estudiante profesor maestro docente escuela beca "
        "aprendizaje matricula icetex aula pupitre",
    ),
    _axis(
        "salud",
        "Salud",
        "salud hospital medico medica eps enfermedad enfermo vacuna medicina medicamento clinica paciente cirugia "
        "farmacia pandemia enfermera",
    ),
    _axis(
        "igualdad",
        "Igualdad y Equidad",
        "igualdad equidad desigualdad mujer mujeres genero discriminacion inclusion diversidad lgbti feminismo "
        "machismo racismo indigena afro discapacidad feminicidio",
    ),
    _axis(
        "paz",
        "Paz y Reinserción",
        "paz reinsercion dialogo acuerdo farc eln guerrilla guerrillero reconciliacion victima victimas conflicto "
        "desmovilizado disidencias guerra jep excombatiente tregua",
    ),
    _axis(
        "economia",
        "Economía y Empleo",
        "economia empleo trabajo desempleo empresa empresario negocio impuesto impuestos tributaria inflacion dolar "
        "peso precio precios salario pension gasolina tarifa tarifas arriendo deuda",
    ),
    _axis(
        "medioambiente",
        "Medio Ambiente y Cambio Climático",
        "ambiente ambiental clima climatico contaminacion deforestacion agua energia sostenible ecologia parque "
        "naturaleza rio rios selva amazonia fracking mineria reciclaje paramo sequia inundacion",
    ),
    _axis(
        "alimentacion",
        "Alimentación",
        "alimentacion alimento alimentos comida hambre campo agricola agricultura campesino cosecha tierra rural "
        "ganaderia desnutricion mercado leche arroz papa siembra",
    ),
)
