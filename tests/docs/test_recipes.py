"""The recipes of CONTRIBUTING: five lines each, and every command, function and file in them is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
SECTION = PAGE.partition("in five lines\n")[2].partition("\n## ")[0]
RECIPES = dict(re.findall(r"^(An? [a-z ]+):\n((?:\d\. .*\n(?: {2,}.*\n)*)+)", SECTION, re.M))
SOURCES = "\n".join(
    path.read_text() for folder in ROOT.glob("*-service") for path in folder.glob("*_service/**/*.py")
) + "".join(path.read_text() for path in (ROOT / "chassis").glob("castor_chassis/**/*.py"))


def test_there_is_a_recipe_for_each() -> None:
    """A setting, a route, a table, an event and a chart value, of five lines each."""
    assert list(RECIPES) == ["A setting", "A route", "A table", "An event", "A chart value"]
    for name, text in RECIPES.items():
        assert re.findall(r"^(\d)\.", text, re.M) == list("12345"), name


@pytest.mark.parametrize("name", RECIPES)
def test_what_a_recipe_names_is_there(name: str) -> None:
    """Targets of make, subcommands of castor, tests that are run, and names of code."""
    text = RECIPES[name]
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M)
    assert set(re.findall(r"`make ([a-z-]+)", text)) <= set(targets)
    for file in re.findall(r"pytest (\S+\.py)", text):
        assert (ROOT / file).exists(), file
    for code in re.findall(r"`(?:await )?(?:self\.)?(\w+)\((?!\.)|`([A-Z_]{4,}|[A-Z]\w+)`", text):
        word = next(part for part in code if part)
        assert re.search(rf"\b{word}\b", SOURCES + (ROOT / "Makefile").read_text()), word


def test_commands_of_castor_take_the_options_that_are_named() -> None:
    """Each `castor COMMAND --option` of CONTRIBUTING is in the help of the command."""
    for command, options in re.findall(r"`castor ([a-z]+)((?: [A-Z]+| --?[a-z-]+)*)`", PAGE):
        help_text = subprocess.run(
            [sys.executable, "-m", "castor_devstack", command, "--help"], capture_output=True, text=True, check=False,
            env={"TERMINAL_WIDTH": "200", "NO_COLOR": "1", "PATH": "/usr/bin:/bin"},
        ).stdout  # fmt: skip
        for option in re.findall(r" (--?[a-z-]+)", options):
            assert option in help_text, (command, option)
