"""Where tweets and their authors come from."""

from __future__ import annotations

import pytest

from twitter_service.matching.places import CITIES, DEPARTMENTS, place_of, places_in


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("Bogotá, D.C., Colombia", ["bogota"]),
        ("MEDELLIN", ["antioquia", "medellin"]),
        ("Cali - Valle", ["cali", "valle-del-cauca"]),
        ("Valle del Cauca", ["valle-del-cauca"]),
        ("Popayán, Cauca", ["cauca", "popayan"]),
        ("Cúcuta, Norte de Santander", ["cucuta", "norte-de-santander"]),
        ("Córdoba, Argentina", []),
        ("Córdoba", []),
        ("Córdoba, Colombia", ["cordoba"]),
        ("Montería, Córdoba", ["cordoba", "monteria"]),
        ("Armenia", []),
        ("Armenia, Quindío", ["armenia", "quindio"]),
        ("Armenia 🇨🇴", ["armenia", "quindio"]),
        ("Cartagena, España", []),
        ("Cartagena de Indias", ["bolivar", "cartagena"]),
        ("Simón Bolívar", []),
        ("Santander", []),
        ("Florencia, Italia", []),
        ("Soledad, Atlántico, Colombia", ["atlantico", "soledad"]),
        ("California", []),
        ("Localia", []),
        ("Colombia", []),
        ("", []),
    ],
)
def test_places_of_a_free_text(location: str, expected: list[str]) -> None:
    """A place is found by its name; an ambiguous one only in company that makes it Colombian."""
    assert places_in(location) == expected


def test_every_place_has_a_department_and_is_found() -> None:
    """All 32 departments, the capital district and every city are recognised where Colombia is named."""
    assert len(DEPARTMENTS) == 33
    for city, (department, names) in CITIES.items():
        assert department in DEPARTMENTS
        for name in names.split(", "):
            assert {city, department} <= set(places_in(f"{name.lstrip('?')}, Colombia")), name
    for department, names in DEPARTMENTS.items():
        for name in names.split(", "):
            assert department in places_in(f"{name.lstrip('?')}, Colombia"), name


def test_the_place_of_a_tweet_goes_before_that_of_its_author() -> None:
    """The place object decides, one of another country names nothing, the author's location comes second."""
    armenia = {"full_name": "Armenia, Quindio", "country_code": "CO"}
    assert place_of(armenia, "Cali") == (["armenia", "quindio"], "tweet")
    assert place_of({"full_name": "Córdoba", "country_code": "AR"}, "Cali") == (["cali", "valle-del-cauca"], "author")
    assert place_of(None, "en mi casa") == ([], None)
    assert place_of({"full_name": 7}, 7) == ([], None)
