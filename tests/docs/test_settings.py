"""The tables of settings are whole; documents name no variable that nothing reads, and no metric that nobody keeps."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from castor_chassis import ServiceSettings
from castor_devstack.stack.services import SERVICES

from .test_references import DOCUMENTS, ROOT, TRACKED

NAME = re.compile(r"`([A-Z][A-Z0-9_]*)(?:=[^`]*)?`")
COMMON = {name.upper() for name in ServiceSettings.model_fields}


def settings_of(service: str) -> type[ServiceSettings]:
    """Return the class of a service's settings; of the chassis those that every service has."""
    if service == "chassis":
        return ServiceSettings
    module = import_module(f"{service.replace('-', '_')}.settings")
    return next(
        each
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, ServiceSettings) and each.__module__ == module.__name__
    )


def chapter(service: str) -> str:
    """Return what a README says below 'Settings'."""
    text = (ROOT / service / "README.md").read_text()
    return re.split(r"^## ", text[text.index("\n## Settings") + 4 :], flags=re.MULTILINE)[0]


by_service = pytest.mark.parametrize("service", ["chassis", *(service.name for service in SERVICES)])


@by_service
def test_every_setting_is_described(service: str) -> None:
    """Each field of the class is named in the README's chapter, and each name there is a field."""
    fields = {name.upper() for name in settings_of(service).model_fields}
    named = set(NAME.findall(chapter(service).split("\n### ")[0]))
    assert (fields if service == "chassis" else fields - COMMON) <= named
    assert named <= fields


@by_service
def test_defaults_are_those_of_the_code(service: str) -> None:
    """Where a row of the table gives one number for each of its variables, these are the defaults."""
    fields, wrong = settings_of(service).model_fields, []
    for names, defaults in re.findall(r"^\| (`[A-Z].*?) \| (.*?) \|", chapter(service), flags=re.MULTILINE):
        variables, given = NAME.findall(names), [number(each) for each in defaults.split(", ")]
        if len(given) == len(variables):
            code = [fields[name.lower()].default for name in variables]
            wrong += [each for each in zip(variables, given, code, strict=True) if each[1] not in (None, each[2])]
    assert wrong == []


def number(text: str) -> float | None:
    """Return a default such as ``15 000`` or ``8 GiB``; None for one that is no number."""
    units = {"": 1, "MiB": 1 << 20, "GiB": 1 << 30}
    found = re.fullmatch(r"([\d. ]*\d)(?: (MiB|GiB))?(?: \(.*\))?", text)
    return None if found is None else float(found[1].replace(" ", "")) * units[found[2] or ""]


def test_every_variable_that_is_named_is_read() -> None:
    """A name in capitals in a document stands in the code, the charts or a script as well, or is a setting."""
    settings = {name.upper() for service in SERVICES for name in settings_of(service.name).model_fields}
    known: set[str] = set()
    for file in TRACKED:
        path = ROOT / file
        if not file.endswith((".md", ".jsonl", ".csv", ".onnx", ".npz", ".js", ".css")) and path.is_file():
            known.update(re.findall(r"[A-Z][A-Z0-9_]+", path.read_text(errors="ignore")))
    unknown = {
        (document, name)
        for document in DOCUMENTS
        if Path(document).name != "CHANGELOG.md"
        for name in re.findall(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:=[^`]*)?`", (ROOT / document).read_text())
        if name not in settings | known
    }
    assert unknown == set()


def test_every_metric_that_is_named_is_kept() -> None:
    """A metric in a document is one of a service's, perhaps with what Prometheus adds to its name."""
    code = [file for file in TRACKED if re.match(r"[\w-]+/(\w+_service|castor_chassis)/.*\.py$", file)]
    kept = {name for file in code for name in re.findall(r"castor_[a-z_0-9]+", (ROOT / file).read_text())}
    named = {
        name
        for document in DOCUMENTS
        if Path(document).name != "CHANGELOG.md"
        for name in re.findall(r"`(castor_[a-z0-9]+_[a-z0-9_]*[a-z0-9])", (ROOT / document).read_text())
    }
    assert {each for each in named if not {each, re.sub("_(total|bucket|sum|count|info)$", "", each)} & kept} == set()
