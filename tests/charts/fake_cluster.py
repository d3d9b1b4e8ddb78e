"""A cluster as far as Helm asks: which kinds it has, and a few objects."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from chart_tools import Manifest


@contextmanager
def fake_cluster(known: Sequence[Manifest], objects: Sequence[Manifest], folder: Path) -> Iterator[Path]:
    """Yield the kubeconfig of a cluster that has the kinds of ``known`` and, in the namespace castor, ``objects``."""
    server = _Server(("127.0.0.1", 0), _Cluster)
    server.kinds, server.objects = {}, {_place(each): each for each in objects}
    for manifest in known:
        server.kinds.setdefault(manifest["apiVersion"], set()).add(manifest["kind"])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "c", "users": [{"name": "c", "user": {}}],
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
    }  # fmt: skip
    (folder / "kubeconfig").write_text(json.dumps(config))
    try:
        yield folder / "kubeconfig"
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    kinds: dict[str, set[str]]
    objects: dict[str, Manifest]


class _Cluster(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        body = self._answer(self.path.split("?")[0])
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body or {"kind": "Status", "code": 404, "reason": "NotFound"}).encode())

    def _answer(self, path: str) -> dict[str, Any] | None:
        known: dict[str, Any] = {"/version": {"major": "1", "minor": "36", "gitVersion": "v1.36.0"}}
        known |= {"/api": {"kind": "APIVersions", "versions": ["v1"]}, "/apis": self._groups()}
        for version, kinds in self.server.kinds.items():
            listed = {"kind": "APIResourceList", "groupVersion": version, "resources": [*map(_resource, kinds)]}
            known[_base(version)] = listed
        found: dict[str, Any] | None = {**known, **self.server.objects}.get(path)
        return found

    def _groups(self) -> dict[str, Any]:
        groups = []
        for each in self.server.kinds.keys() - {"v1"}:
            group, version = each.split("/")
            entry = {"groupVersion": each, "version": version}
            groups.append({"name": group, "versions": [entry], "preferredVersion": entry})
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _base(version: str) -> str:
    return f"/api/{version}" if version == "v1" else f"/apis/{version}"


def _place(manifest: Manifest) -> str:
    kind, name = manifest["kind"].lower(), manifest["metadata"]["name"]
    return f"{_base(manifest['apiVersion'])}/namespaces/castor/{kind}s/{name}"


def _resource(kind: str) -> dict[str, Any]:
    return {"name": f"{kind.lower()}s", "singularName": "", "namespaced": True, "kind": kind, "verbs": ["get"]}
