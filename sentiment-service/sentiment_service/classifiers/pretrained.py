"""Any sequence-classification model in the layout of Hugging Face: transformers reads its tokenizer and configuration.

The network is an ONNX file in the folder and runs in ONNX Runtime; torch is not needed. What `export` adds to such a
folder (``manifest.json``) says how texts are prepared and which languages the model knows, and lists the files with
their digests, which are checked.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnxruntime as ort

from castor_chassis import ModelArtifactError, ModelFolder
from sentiment_service.classifiers.base import Label, ModelCard
from sentiment_service.classifiers.hub import MANIFEST_FILE, ONNX_FILES, first_line, onnx_file
from sentiment_service.classifiers.labels import outputs_of
from sentiment_service.classifiers.onnx_runtime import session
from sentiment_service.classifiers.tokenization import PretrainedTokenizer
from sentiment_service.classifiers.transformer import PREPARE, TransformerClassifier

CONFIG_FILE = "config.json"
REMEDY = "export it again with `python -m sentiment_service export`"
# Tokenizers that state no longest text say something like 10**30.
_LONGEST = 512
# What transformers reads a tokenizer from, under names of each kind's own.
_TOKENIZER_FILES = ("*.json", "*.txt", "*.model")
_OTHER_PROBLEMS = frozenset({"regression", "multi_label_classification"})


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for a model whose folder does not say it: the labels of its outputs in order, and its languages."""

    labels: tuple[Label, ...] | None = None
    languages: tuple[str, ...] = ("es",)


def load_pretrained(name: str, folder: Path, *, threads: int, defaults: Defaults) -> TransformerClassifier:
    """Load the model that is in ``folder``; ``name`` is what the caller calls it.

    Raises:
        ModelArtifactError: Something is missing, damaged, or not what a model of three sentiments needs.
    """
    manifest, files = _verified(folder)
    network = _network_of(name, folder)
    tokenizer, config = _read(name, folder)
    outputs = outputs_for(name, tokenizer, config, defaults.labels)
    prepare, max_tokens = _reading(name, manifest)
    max_tokens = max_tokens or longest_of(config, tokenizer)
    version = manifest.get("version") or _version(folder, network, outputs, prepare, max_tokens)
    try:
        classifier = TransformerClassifier(
            model=_card(name, folder, defaults, manifest, files, version=version, labels=tuple(dict.fromkeys(outputs))),
            tokenizer=PretrainedTokenizer(tokenizer, max_tokens),
            session=session(files.get(network.relative_to(folder).as_posix(), network), threads),
            prepare=PREPARE[prepare],
            outputs=outputs,
        )
        _check_network(classifier)
    # The tokenizer and the runtime raise errors of their own making, with no base but Exception.
    except Exception as error:
        raise ModelArtifactError(f"The network {network} of {name} cannot be used: {first_line(error)}.") from error
    return classifier


def transformers_library() -> Any:
    """Import transformers, whose log lines then go where those of the service go.

    Imported late, because the bundled models do not need it.
    """
    # At import it warns that torch is missing, which is intended here.
    logging.getLogger("transformers").addFilter(lambda record: "PyTorch was not found" not in record.getMessage())
    import transformers
    from transformers.utils import logging as its_logging

    its_logging.disable_default_handler()
    its_logging.enable_propagation()
    return transformers


def prepare_for(name: str) -> str:
    """Return how texts are prepared for the model ``name`` if nothing says it."""
    return "robertuito" if "robertuito" in name else "handles"


def longest_of(config: Any, tokenizer: Any) -> int:
    """Return the most tokens of a text: what the tokenizer says, and what the network has positions for."""
    positions = int(getattr(config, "max_position_embeddings", None) or _LONGEST)
    # RoBERTa and its kin count positions from the padding id on, so they have 2 fewer than they say.
    unused = tokenizer.pad_token_id + 1 if tokenizer.pad_token_id else 0
    return min(int(tokenizer.model_max_length), positions - unused if positions > unused else _LONGEST)


def _verified(folder: Path) -> tuple[Mapping[str, Any], Mapping[str, bytes]]:
    """Return the manifest and the files that it lists, verified; both empty for a folder without a manifest."""
    if not (folder / MANIFEST_FILE).is_file():
        return {}, {}
    exported = ModelFolder(folder, REMEDY)
    manifest = exported.manifest()
    return manifest, exported.files(manifest)


def _network_of(name: str, folder: Path) -> Path:
    network = onnx_file(folder)
    if network is None:
        raise ModelArtifactError(
            f"The model {name} has no ONNX file in {folder} (one of {', '.join(ONNX_FILES)}); run `python -m "
            f"sentiment_service export {name} --out FOLDER` where torch is installed."
        )
    return network


def _read(name: str, folder: Path) -> tuple[Any, Any]:
    library = transformers_library()
    given: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = library.AutoTokenizer.from_pretrained(str(folder), **given)
        config = library.AutoConfig.from_pretrained(str(folder), **given)
    except Exception as error:
        reason = first_line(error)
        raise ModelArtifactError(
            f"transformers cannot read the tokenizer or configuration of {name}: {reason}"
        ) from error
    return tokenizer, config


def outputs_for(name: str, tokenizer: Any, config: Any, labels: tuple[Label, ...] | None) -> tuple[Label, ...]:
    """Return the label of each output; raises ``ModelArtifactError`` for a model that this service cannot use.

    ``labels`` are those of the outputs in order, where the configuration does not name them.
    """
    if tokenizer.pad_token_id is None:
        raise ModelArtifactError(
            f"The tokenizer of {name} has no padding token; set pad_token in its tokenizer_config.json."
        )
    problem = getattr(config, "problem_type", None)
    if problem in _OTHER_PROBLEMS:
        raise ModelArtifactError(f"The model is one of {problem}; this service needs one that chooses one label.")
    return outputs_of(getattr(config, "id2label", None) or {}, labels)


def _reading(name: str, manifest: Mapping[str, Any]) -> tuple[str, int]:
    """Return how texts are prepared, and the most tokens of one: 0 where the manifest does not say it."""
    prepare, max_tokens = manifest.get("prepare") or prepare_for(name), manifest.get("max_tokens") or 0
    if prepare not in PREPARE:
        raise ModelArtifactError(
            f"The manifest of {name} prepares texts by {prepare!r}, not by one of {', '.join(PREPARE)}; {REMEDY}."
        )
    if not isinstance(max_tokens, int) or max_tokens < 0:
        raise ModelArtifactError(f"The manifest of {name} says max_tokens {max_tokens!r}, no number; {REMEDY}.")
    return prepare, max_tokens


def _version(folder: Path, network: Path, outputs: Sequence[Label], prepare: str, max_tokens: int) -> str:
    """Return a version that changes whenever scores may: with the network, its tokenizer, and with how it is asked."""
    digest = hashlib.sha256(json.dumps([outputs, prepare, max_tokens]).encode())
    vocabulary = {path for kind in _TOKENIZER_FILES for path in folder.glob(kind)} - {folder / MANIFEST_FILE}
    for path in [*sorted(network.parent.glob(f"{network.name}*")), *sorted(vocabulary)]:
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)} ".encode() + content)
    return digest.hexdigest()[:12]


def _card(
    name: str,
    folder: Path,
    defaults: Defaults,
    manifest: Mapping[str, Any],
    files: Mapping[str, bytes],
    **known: Any,
) -> ModelCard:
    known_as = folder.name if Path(name).is_dir() else name.partition("@")[0]
    return ModelCard.of({"id": known_as, "languages": defaults.languages, "held_out": {}, **manifest, **known}, files)


def _check_network(classifier: TransformerClassifier) -> None:
    """Raise ``ValueError`` where the network needs inputs that the tokenizer does not give, or has other outputs."""
    network: ort.InferenceSession = classifier.session
    given = classifier.tokenizer.arrays(classifier.tokenizer.encode(["hola"])[0])
    missing = [entry.name for entry in network.get_inputs() if entry.name not in given]
    if missing:
        raise ValueError(f"it needs the inputs {', '.join(missing)}, which the tokenizer does not give")
    shape = network.run(None, {entry.name: given[entry.name] for entry in network.get_inputs()})[0].shape
    if shape != (1, len(classifier.outputs)):
        raise ValueError(f"it answers one text with shape {shape}, expected (1, {len(classifier.outputs)})")
