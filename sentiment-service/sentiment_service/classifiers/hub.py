"""Where a named model is: a folder, an export in the store, the Hugging Face cache, or a hub to download it from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from castor_chassis import ModelArtifactError, ModelFolder

MANIFEST_FILE = "manifest.json"
# A network may have its weights in a file of their own beside it.
ONNX_FILES = ("model.onnx", "onnx/model.onnx", "model_quantized.onnx", "onnx/model_quantized.onnx")
_DOWNLOADED = ("*.json", "*.txt", "*.model", "model.onnx*", "onnx/model.onnx*")
_HUB_ID = re.compile(r"(?P<name>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?")


@dataclass(frozen=True, slots=True)
class ModelSource:
    """Where models are looked for.

    ``store`` is the folder of exported models. ``hub_url`` is the Hugging Face hub, or a mirror of it, that models may
    be downloaded from; without one nothing is downloaded.
    """

    store: Path = Path("models")
    hub_url: str | None = None

    def folder(self, name: str) -> Path:
        """Return the folder of the model ``name``: a folder, or a Hugging Face id with an optional ``@revision``.

        Raises:
            ModelArtifactError: There is no such model here, or the hub does not give it; the message says what to do.
        """
        if Path(name).is_dir():
            return Path(name)
        owned, revision = hub_id(name)
        exported = self.store / exported_name(name)
        if exported.is_dir():
            return exported
        whole = self.store / exported_name(owned)
        return whole if _states(whole, name) else self._snapshot(name, owned, revision)

    def _snapshot(self, given: str, name: str, revision: str | None) -> Path:
        # Imported here: it is slow to import, and only this case needs it.
        from huggingface_hub import snapshot_download
        from huggingface_hub.utils.tqdm import disable_progress_bars

        disable_progress_bars()
        try:
            return Path(
                snapshot_download(
                    name,
                    revision=revision,
                    endpoint=self.hub_url,
                    local_files_only=self.hub_url is None,
                    allow_patterns=list(_DOWNLOADED),
                )
            )
        except (OSError, ValueError) as error:
            raise ModelArtifactError(self._missing(given, error)) from error

    def _missing(self, given: str, error: Exception) -> str:
        exported = self.store / exported_name(given)
        tried = f"{self.hub_url} does not give it ({first_line(error)})" if self.hub_url else "MODEL_HUB_URL is not set"
        return (
            f"The model {given} is neither a folder, nor exported to {exported}, nor in the Hugging Face cache, and "
            f"{tried}. Run `python -m sentiment_service export {given} --out {exported}` where torch is installed, or "
            "set MODEL_HUB_URL=https://huggingface.co to download a model that has an ONNX file."
        )


def hub_id(name: str) -> tuple[str, str | None]:
    """Return the id and the revision of `owner/name@revision` or `owner/name`.

    Raises:
        ModelArtifactError: The name is no Hugging Face id.
    """
    named = _HUB_ID.fullmatch(name)
    if named is None:
        raise ModelArtifactError(
            f"There is no model folder {name}; a model is 'bundled', 'bundled-fast', a folder or a Hugging Face id "
            "(owner/name, owner/name@revision)."
        )
    return named["name"], named["revision"]


def exported_name(hub_id: str) -> str:
    """Return the name of the folder of an exported Hugging Face id: `owner/name@v2` -> `owner--name@v2`."""
    return hub_id.replace("/", "--")


def _states(folder: Path, name: str) -> bool:
    """Return whether the manifest of an export says that it is ``name``, revision included."""
    exported = ModelFolder(folder, f"export {name} again with `python -m sentiment_service export`")
    return (folder / MANIFEST_FILE).is_file() and exported.manifest().get("id") == name


def onnx_file(folder: Path) -> Path | None:
    """Return the first of ``ONNX_FILES`` that the folder has."""
    return next((folder / name for name in ONNX_FILES if (folder / name).is_file()), None)


def first_line(error: Exception) -> str:
    """Return the first line of what an error of another library says, or its class where it says nothing."""
    return str(error).strip().partition("\n")[0] or type(error).__name__
