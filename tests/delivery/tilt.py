"""Runs the Tiltfile in a Starlark interpreter; Tilt's own functions record what they are asked."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest
from chart_tools import ROOT, WANTED


@dataclass
class Recorded:
    """The calls of each of Tilt's functions: (positional, named) in their order."""

    calls: dict[str, list[tuple[tuple[Any, ...], dict[str, Any]]]] = field(default_factory=lambda: defaultdict(list))
    manifests: list[dict[str, Any]] = field(default_factory=list)

    def named(self, function: str) -> dict[str, dict[str, Any]]:
        """Return the named arguments of each call by its first argument."""
        return {positional[0]: named for positional, named in self.calls[function]}

    def needs(self) -> dict[str, set[str]]:
        """Return what each resource waits for, by the name that Tilt shows."""
        resources = self.named("k8s_resource").items()
        return {named.get("new_name", name): set(named.get("resource_deps", [])) for name, named in resources}


@cache
def run_tiltfile() -> Recorded:
    """Execute the Tiltfile; skips without the interpreter."""
    starlark = pytest.importorskip("starlark", reason=WANTED)
    recorded, module = Recorded(), starlark.Module()
    for name in ("k8s_resource", "docker_build", "local", "watch_file"):
        module.add_callable(name, _recorder(recorded, name))
    module.add_callable("helm", _recorder(recorded, "helm", lambda path, **_: {"chart": path}))
    module.add_callable("read_file", lambda path: (ROOT / path).read_text())
    module.add_callable("encode_yaml", lambda content: {"object": json.dumps(content)})
    module.add_callable("k8s_yaml", _recorder(recorded, "k8s_yaml"))
    extension = starlark.Module()
    extension.add_callable("deploy_cert_manager", _recorder(recorded, "deploy_cert_manager"))
    frozen = extension.freeze()
    dialect = starlark.Dialect.extended()
    dialect.enable_top_level_stmt = True
    program = starlark.parse("Tiltfile", (ROOT / "Tiltfile").read_text(), dialect)
    starlark.eval(
        module,
        program,
        starlark.Globals.extended_by([starlark.LibraryExtension.Print]),
        starlark.FileLoader(_loader(frozen)),
    )
    given = [positional[0] for positional, _ in recorded.calls["k8s_yaml"]]
    flat = [part for each in given for part in (each if isinstance(each, list) else [each])]
    recorded.manifests = [json.loads(part["object"]) for part in flat if isinstance(part, dict) and "object" in part]
    return recorded


def _recorder(recorded: Recorded, name: str, answer: Any = None) -> Any:
    def record(*positional: Any, **named: Any) -> Any:
        recorded.calls[name].append((positional, named))
        return None if answer is None else answer(*positional, **named)

    return record


def _loader(module: Any) -> Any:
    def load(name: str) -> Any:
        assert name == "ext://cert_manager"
        return module

    return load
