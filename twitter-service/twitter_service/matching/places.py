"""Departments and cities of Colombia in the place or the text of a tweet, or the location of its author.

A city implies its department. Many names are also something else: Córdoba lies in Argentina and Spain,
Armenia is a country, Bello and Soledad are words, Bolívar and Nariño are persons. The rules:

1. A text that names another country, or a place object of another country, gives no place.
2. An unambiguous name counts by itself.
3. An ambiguous one counts only beside "Colombia", its flag, a place object of Colombia, or an unambiguous
   name or its own department in the same text.
4. Where a city and a department share a name, the department is meant, unless the city is the only one that
   fits: "Bogotá" is both, "Antioquia" is the department.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from twitter_service.matching.folding import fold
from twitter_service.matching.phrases import Phrases, phrase

# slug: names, the ambiguous ones after a "?".
DEPARTMENTS = MappingProxyType(
    {
        "amazonas": "?amazonas", "antioquia": "antioquia", "arauca": "arauca", "atlantico": "?atlantico",
        "bogota": "bogota, bogota d c, bogota dc, santafe de bogota, santa fe de bogota", "bolivar": "?bolivar",
        "boyaca": "boyaca", "caldas": "?caldas", "caqueta": "caqueta", "casanare": "casanare", "cauca": "cauca",
        "cesar": "?cesar", "choco": "choco", "cordoba": "?cordoba", "cundinamarca": "cundinamarca",
        "guainia": "guainia",
        "guaviare": "guaviare", "huila": "huila", "la-guajira": "la guajira, guajira", "magdalena": "?magdalena",
        "meta": "?meta", "narino": "?narino", "norte-de-santander": "norte de santander", "putumayo": "putumayo",
        "quindio": "quindio", "risaralda": "risaralda", "san-andres-y-providencia": "san andres y providencia, "
        "san andres islas, ?san andres", "santander": "?santander", "sucre": "?sucre", "tolima": "tolima",
        "valle-del-cauca": "valle del cauca, ?valle", "vaupes": "vaupes", "vichada": "vichada",
    }
)  # fmt: skip

# slug: department, names.
CITIES = MappingProxyType(
    {
        "medellin": ("antioquia", "medellin"), "bello": ("antioquia", "?bello"), "envigado": ("antioquia", "envigado"),
        "itagui": ("antioquia", "itagui"), "rionegro": ("antioquia", "?rionegro"),
        "apartado": ("antioquia", "?apartado"),
        "turbo": ("antioquia", "?turbo"), "sabaneta": ("antioquia", "?sabaneta"), "caucasia": ("antioquia", "caucasia"),
        "leticia": ("amazonas", "?leticia"), "barranquilla": ("atlantico", "barranquilla"),
        "soledad": ("atlantico", "?soledad"), "malambo": ("atlantico", "malambo"),
        "cartagena": ("bolivar", "cartagena de indias, ?cartagena"), "magangue": ("bolivar", "magangue"),
        "turbaco": ("bolivar", "turbaco"), "tunja": ("boyaca", "tunja"), "duitama": ("boyaca", "duitama"),
        "sogamoso": ("boyaca", "sogamoso"), "chiquinquira": ("boyaca", "chiquinquira"),
        "manizales": ("caldas", "manizales"), "la-dorada": ("caldas", "?la dorada"),
        "florencia": ("caqueta", "?florencia"), "yopal": ("casanare", "yopal"), "popayan": ("cauca", "popayan"),
        "santander-de-quilichao": ("cauca", "santander de quilichao"), "valledupar": ("cesar", "valledupar"),
        "aguachica": ("cesar", "aguachica"), "quibdo": ("choco", "quibdo"), "monteria": ("cordoba", "monteria"),
        "lorica": ("cordoba", "lorica"), "sahagun": ("cordoba", "?sahagun"), "soacha": ("cundinamarca", "soacha"),
        "chia": ("cundinamarca", "?chia"), "zipaquira": ("cundinamarca", "zipaquira"),
        "facatativa": ("cundinamarca", "facatativa"), "fusagasuga": ("cundinamarca", "fusagasuga"),
        "girardot": ("cundinamarca", "?girardot"), "cajica": ("cundinamarca", "cajica"),
        "funza": ("cundinamarca", "funza"),
        "mosquera": ("cundinamarca", "?mosquera"), "inirida": ("guainia", "inirida, puerto inirida"),
        "san-jose-del-guaviare": ("guaviare", "san jose del guaviare"), "neiva": ("huila", "neiva"),
        "pitalito": ("huila", "pitalito"), "riohacha": ("la-guajira", "riohacha"), "maicao": ("la-guajira", "maicao"),
        "uribia": ("la-guajira", "uribia"), "santa-marta": ("magdalena", "?santa marta"),
        "cienaga": ("magdalena", "?cienaga"), "villavicencio": ("meta", "villavicencio"),
        "acacias": ("meta", "?acacias"),
        "granada": ("meta", "?granada"),
        "pasto": ("narino", "san juan de pasto, ?pasto"), "tumaco": ("narino", "tumaco"),
        "ipiales": ("narino", "ipiales"), "cucuta": ("norte-de-santander", "cucuta, san jose de cucuta"),
        "ocana": ("norte-de-santander", "?ocana"), "pamplona": ("norte-de-santander", "?pamplona"),
        "mocoa": ("putumayo", "mocoa"), "armenia": ("quindio", "?armenia"), "calarca": ("quindio", "calarca"),
        "pereira": ("risaralda", "?pereira"), "dosquebradas": ("risaralda", "dosquebradas"),
        "bucaramanga": ("santander", "bucaramanga"), "floridablanca": ("santander", "floridablanca"),
        "giron": ("santander", "?giron"), "piedecuesta": ("santander", "piedecuesta"),
        "barrancabermeja": ("santander", "barrancabermeja"), "sincelejo": ("sucre", "sincelejo"),
        "corozal": ("sucre", "?corozal"), "ibague": ("tolima", "ibague"), "espinal": ("tolima", "?espinal, el espinal"),
        "cali": ("valle-del-cauca", "cali, santiago de cali"), "palmira": ("valle-del-cauca", "?palmira"),
        "buenaventura": ("valle-del-cauca", "?buenaventura"), "tulua": ("valle-del-cauca", "tulua"),
        "buga": ("valle-del-cauca", "buga, guadalajara de buga"), "cartago": ("valle-del-cauca", "?cartago"),
        "jamundi": ("valle-del-cauca", "jamundi"), "mitu": ("vaupes", "mitu"),
        "puerto-carreno": ("vichada", "puerto carreno"),
    }
)  # fmt: skip

COUNTRIES = (
    "argentina, espana, spain, venezuela, ecuador, peru, chile, mexico, bolivia, brasil, brazil, panama, costa rica, "
    "cuba, honduras, guatemala, nicaragua, el salvador, republica dominicana, paraguay, uruguay, "
    "puerto rico, usa, eeuu, "
    "estados unidos, united states, california, florida, texas, new york, nueva york, italia, italy, francia, france, "
    "portugal, alemania, germany, inglaterra, england, united kingdom, canada, siria, toscana, tuscany, yerevan, lima, "
    "caracas, quito, buenos aires, santiago de chile, ciudad de mexico, cdmx, madrid, barcelona, miami, "
    "andalucia, murcia"
)
_FLAG = "🇨🇴"
COLOMBIA = "colombia, colombie, kolumbien, locombia"


@dataclass(frozen=True, slots=True)
class _Name:
    """A slug that a name may mean, its department, and whether the name is ambiguous."""

    slug: str
    department: str | None
    is_ambiguous: bool


def places_in(text: str, country_code: str | None = None) -> list[str]:
    """Return the slugs of departments and cities that ``text`` names, in alphabetical order.

    ``country_code`` is that of a place object (ISO 3166-1), None for a free text.
    """
    if not text or (country_code or "CO").upper() != "CO":
        return []
    return places_named(phrase(text), is_colombian=bool(country_code) or _FLAG in text)


def places_of_text(text: str, plain: str) -> list[str]:
    """Return the slugs of the places that the text of a tweet names; ``plain`` holds its words, without handles."""
    return places_named(plain, is_colombian=_FLAG in text)


def places_named(plain: str, *, is_colombian: bool) -> list[str]:
    """Return the slugs of the places in a text in its plain form; where it is Colombian, ambiguous names count."""
    names = _names().found_in(plain)
    countries = _countries().found_in(plain) if names else set()
    if countries - {"CO"}:
        return []
    sure = {name for name in names if not name.is_ambiguous}
    if is_colombian or countries:
        sure = names
    departments = {name.department or name.slug for name in sure}
    found = sure | {name for name in names if name.department in departments or (sure and name.slug in departments)}
    return sorted({name.slug for name in found} | {name.department for name in found if name.department})


def place_of(tweet_place: Any, author_location: Any) -> tuple[list[str], str | None]:
    """Return places and where they come from: ``tweet`` (its place object), else ``author``, else None."""
    if isinstance(tweet_place, dict) and isinstance(
        name := tweet_place.get("full_name") or tweet_place.get("name"), str
    ):
        code = tweet_place.get("country_code")
        if found := places_in(name, code if isinstance(code, str) else None):
            return found, "tweet"
    if isinstance(author_location, str) and (found := places_in(author_location)):
        return found, "author"
    return [], None


@cache
def _countries() -> Phrases[str]:
    foreign = {name: {"other"} for name in COUNTRIES.split(", ")}
    return Phrases({**foreign, **{name: {"CO"} for name in COLOMBIA.split(", ")}})


@cache
def _names() -> Phrases[_Name]:
    meanings: dict[str, set[_Name]] = {}
    rows = [(slug, None, names) for slug, names in DEPARTMENTS.items()]
    for slug, department, names in [*rows, *((s, d, n) for s, (d, n) in CITIES.items())]:
        for name in names.split(", "):
            meanings.setdefault(fold(name.lstrip("?")), set()).add(_Name(slug, department, name.startswith("?")))
    # "Norte de Santander" is not Santander, "Valle del Cauca" not Cauca.
    return Phrases(meanings, longest=True)
