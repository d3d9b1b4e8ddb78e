"""Where a named model is found: a folder, the store, the Hugging Face cache, a hub (here a loopback server)."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest
from pretrained_model import write_pretrained  # type: ignore[import-not-found]
from tiny_model import move_weights_out  # type: ignore[import-not-found]

from castor_chassis import ModelArtifactError, ModelFolder
from sentiment_service.classifiers.hub import ModelSource
from sentiment_service.classifiers.loader import load_model

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub:
    """A hub with one model, `owner/name`; everything else it does not know."""

    def __init__(self, folder: Path) -> None:
        self.files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.*")}
        self.downloaded: list[str] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, path: str) -> tuple[int, bytes, dict[str, str]]:
        """Return status, body and headers."""
        tree = [{"type": "file", "path": p, "size": len(c), "oid": sha1(c).hexdigest()} for p, c in self.files.items()]
        listing = {"id": "owner/name", "sha": COMMIT, "siblings": [{"rfilename": name} for name in self.files]}
        prefix = f"/owner/name/resolve/{COMMIT}/"
        if path in (f"/api/models/owner/name/revision/{revision}" for revision in ("main", "v2", COMMIT)):
            return 200, json.dumps(listing).encode(), {"Content-Type": "application/json"}
        if path.startswith(f"/api/models/owner/name/tree/{COMMIT}"):
            return 200, json.dumps(tree).encode(), {"Content-Type": "application/json"}
        if path.startswith(prefix):
            content = self.files[path.removeprefix(prefix)]
            return 200, content, {"ETag": f'"{sha1(content).hexdigest()}"', "X-Repo-Commit": COMMIT}
        return 404, b"", {"X-Error-Code": "RepoNotFound"}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._send(with_body=True)
                if "/resolve/" in self.path:
                    hub.downloaded.append(self.path.rpartition(f"{COMMIT}/")[2])

            def do_HEAD(self) -> None:
                self._send(with_body=False)

            def _send(self, *, with_body: bool) -> None:
                status, body, headers = hub.answer(self.path.partition("?")[0])
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                if with_body:
                    self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                return

        return Handler


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty Hugging Face cache."""
    folder = tmp_path / "cache"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(folder))
    return folder


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """A hub whose model has an ONNX file, and weights for torch that nobody here needs."""
    folder = write_pretrained(tmp_path / "hub", onnx="onnx/model.onnx")
    (folder / "pytorch_model.bin").write_bytes(b"weights")
    served = Hub(folder)
    threading.Thread(target=served.server.serve_forever, daemon=True).start()
    yield served
    served.server.shutdown()
    served.server.server_close()


def test_a_name_is_looked_for_in_the_store_first(tmp_path: Path, hub: Hub) -> None:
    """What was exported or put into the store needs no hub."""
    write_pretrained(tmp_path / "store" / "owner--name", names=("POS", "NEU", "NEG"))
    model = load_model("owner/name", source=ModelSource(tmp_path / "store", hub.url))
    assert model.classify(["bueno"])[0].label == "negative"
    assert model.model.id == "owner/name"
    assert hub.downloaded == []


@pytest.mark.parametrize("folder", ["owner--name@v2", "owner--name"])
def test_a_revision_is_taken_from_an_export_of_it(tmp_path: Path, folder: str) -> None:
    """From the folder that has it in its name, or whose manifest states it."""
    write_pretrained(tmp_path / "store" / folder, names=("POS", "NEU", "NEG"))
    manifest = ModelFolder(tmp_path / "store" / folder, "")
    manifest.write_manifest({"id": "owner/name@v2", "version": "1"}, ())
    model = load_model("owner/name@v2", source=ModelSource(tmp_path / "store"))
    assert model.classify(["bueno"])[0].label == "negative"
    with pytest.raises(ModelArtifactError, match="export owner/name@v3 --out .*owner--name@v3"):
        load_model("owner/name@v3", source=ModelSource(tmp_path / "store"))


def test_another_revision_in_the_store_is_not_taken(tmp_path: Path, hub: Hub) -> None:
    """What does not say which revision it is stands for none that is asked for."""
    write_pretrained(tmp_path / "store" / "owner--name", names=("POS", "NEU", "NEG"))
    model = load_model("owner/name@v2", source=ModelSource(tmp_path / "store", hub.url))
    assert model.classify(["bueno"])[0].label == "positive"
    assert "tokenizer.json" in hub.downloaded


@pytest.mark.parametrize("name", ["owner/name", "owner/name@v2", f"owner/name@{COMMIT}"])
def test_a_model_is_downloaded_where_a_hub_is_named(tmp_path: Path, hub: Hub, name: str) -> None:
    """From the hub come tokenizer, configuration and network, not the weights for torch; the id has no revision."""
    model = load_model(name, source=ModelSource(tmp_path, hub.url))
    assert model.classify(["bueno"])[0].label == "positive"
    assert model.model.id == "owner/name"
    assert sorted(hub.downloaded) == ["config.json", "onnx/model.onnx", "tokenizer.json", "tokenizer_config.json"]


def test_a_model_with_its_weights_in_a_second_file_is_downloaded(tmp_path: Path, hub: Hub) -> None:
    """Both files come from the hub; in its cache they are links to where their content is, which loads all the same."""
    folder = write_pretrained(tmp_path / "large", onnx="onnx/model.onnx")
    move_weights_out(folder / "onnx" / "model.onnx")
    hub.files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.*")}
    model = load_model("owner/name", source=ModelSource(tmp_path, hub.url))
    assert model.classify(["bueno"])[0].label == "positive"
    assert "onnx/model.onnx_data" in hub.downloaded


def test_what_was_downloaded_once_needs_no_hub(tmp_path: Path, hub: Hub) -> None:
    """Without a hub, or with one that is away, a model in the Hugging Face cache is loaded from there."""
    version = load_model("owner/name", source=ModelSource(tmp_path, hub.url)).model.version
    hub.server.shutdown()
    hub.server.server_close()
    for url in (None, hub.url):
        assert load_model("owner/name", source=ModelSource(tmp_path, url)).model.version == version


def test_nothing_is_downloaded_unless_a_hub_is_named(tmp_path: Path) -> None:
    """An unknown id is refused at once, and the error says what to do."""
    with pytest.raises(ModelArtifactError, match="The model owner/name is neither") as refused:
        load_model("owner/name", source=ModelSource(tmp_path))
    assert "MODEL_HUB_URL is not set" in str(refused.value)
    assert f"python -m sentiment_service export owner/name --out {tmp_path}/owner--name" in str(refused.value)


def test_what_the_hub_does_not_have_is_said(tmp_path: Path, hub: Hub) -> None:
    """A name that the hub does not know, or a hub that is away, is in the error beside what to do."""
    source = ModelSource(tmp_path, hub.url)
    with pytest.raises(ModelArtifactError, match=f"{hub.url} does not give it .*404.*sentiment_service export"):
        load_model("owner/other", source=source)
    hub.server.shutdown()
    hub.server.server_close()
    with pytest.raises(ModelArtifactError, match=f"The model owner/name .*{hub.url} does not give it"):
        load_model("owner/name", source=source)


def test_a_hub_model_without_a_network_says_how_to_export_it(tmp_path: Path, hub: Hub) -> None:
    """Most models of the hub have weights for torch only; the error names the command that makes an ONNX file."""
    del hub.files["onnx/model.onnx"]
    with pytest.raises(ModelArtifactError, match="has no ONNX file .*sentiment_service export owner/name"):
        load_model("owner/name", source=ModelSource(tmp_path, hub.url))
