"""`python -m sentiment_service export NAME --out FOLDER`: a Hugging Face model to a model folder of this service.

It downloads (or reads) the model, writes it as ONNX, quantises it, writes its tokenizer and configuration beside it,
checks that the quantised network still answers like the original, and writes the manifest with the digests. It needs
torch and onnx, which the service does not: `uv sync --group training`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from castor_chassis import ModelArtifactError, ModelFolder
from sentiment_service.classifiers.base import LABELS, Label
from sentiment_service.classifiers.labels import outputs_of
from sentiment_service.classifiers.pretrained import (
    MANIFEST_FILE,
    REMEDY,
    Defaults,
    load_pretrained,
    longest_of,
    prepare_for,
    transformers_library,
)
from sentiment_service.classifiers.transformer import MODEL_FILE, PREPARE

_MAX_TOKENS = 128
_PROBES = (
    "Qué alegría tan grande, gracias a todos",
    "Qué vergüenza de gobierno, nos mintieron otra vez",
    "La rueda de prensa es a las 10 en la sede",
    "No me gusta nada lo que dijo @usuario hoy 😡",
    "Hoy salimos a votar con esperanza por un país mejor",
)
# A model whose answers move more than this has outlier activations that plain int8 cannot hold.
_FARTHEST = 0.15


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What the manifest states, and how texts are prepared (a key of ``PREPARE``)."""

    version: str
    prepare: str
    languages: tuple[str, ...] = ("es",)
    max_tokens: int = _MAX_TOKENS
    labels: tuple[Label, ...] | None = None


def export(name: str, out: Path, options: ExportOptions) -> float:
    """Write the model folder ``out``; return how far its probabilities are from the original's at most.

    Raises:
        ModelArtifactError: The model cannot be read, has other labels, or the quantised one answers differently.
    """
    torch, transformers, quantisation = _needed()
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(name)
        model = transformers.AutoModelForSequenceClassification.from_pretrained(name).eval()
    except (OSError, ValueError) as error:
        raise ModelArtifactError(f"The model {name} cannot be read: {error}") from error
    outputs = outputs_of(model.config.id2label, options.labels)
    if options.labels:
        model.config.id2label = dict(enumerate(outputs))
    out.mkdir(parents=True, exist_ok=True)
    tokenizer.save_pretrained(out)
    model.config.save_pretrained(out)
    with tempfile.TemporaryDirectory() as scratch:
        _to_onnx(torch, model, tokenizer, Path(scratch) / "float.onnx")
        quantisation.quantize_dynamic(
            Path(scratch) / "float.onnx", out / MODEL_FILE, per_channel=True, weight_type=quantisation.QuantType.QInt8
        )
    _write_manifest(name, out, options, min(options.max_tokens, longest_of(model.config, tokenizer)))
    return _farthest(out, _answers(torch, model, tokenizer, outputs, options.prepare))


def _needed() -> tuple[Any, Any, Any]:
    try:
        import torch
        from onnxruntime import quantization
    except ImportError as error:
        raise ModelArtifactError(f"The export needs {error.name}: run `uv sync --group training` first.") from error
    return torch, transformers_library(), quantization


def _write_manifest(name: str, out: Path, options: ExportOptions, max_tokens: int) -> None:
    members: dict[str, Any] = {
        "id": Path(name).resolve().name if Path(name).is_dir() else name,
        "version": options.version,
        "languages": list(options.languages),
        "labels": list(LABELS),
        "prepare": options.prepare,
        "max_tokens": max_tokens,
        "held_out": {},
    }
    files = sorted(path.name for path in out.iterdir() if path.is_file() and path.name != MANIFEST_FILE)
    ModelFolder(out, REMEDY).write_manifest(members, files)


def _to_onnx(torch: Any, model: Any, tokenizer: Any, path: Path) -> None:
    sample = tokenizer(list(_PROBES), padding=True, return_tensors="pt")
    inputs = [name for name in ("input_ids", "attention_mask", "token_type_ids") if name in sample]
    dynamic = {name: {0: torch.export.Dim("texts"), 1: torch.export.Dim("tokens")} for name in inputs}
    torch.onnx.export(
        model,
        (),
        path,
        kwargs={name: sample[name] for name in inputs},
        input_names=inputs,
        output_names=["logits"],
        dynamic_shapes=dynamic,
        opset_version=18,
        dynamo=True,
        external_data=False,
        verbose=False,
    )


def _answers(torch: Any, model: Any, tokenizer: Any, outputs: Sequence[Label], prepare: str) -> Any:
    """Return the original's probabilities of the probes, shape (probes, LABELS)."""
    encoded = tokenizer([PREPARE[prepare](text) for text in _PROBES], padding=True, return_tensors="pt")
    with torch.no_grad():
        probabilities = torch.softmax(model(**encoded).logits, -1).numpy()
    by_label = [[column for column, output in enumerate(outputs) if output == label] for label in LABELS]
    return np.stack([probabilities[:, columns].sum(axis=1) for columns in by_label], axis=1)


def _farthest(folder: Path, original: Any) -> float:
    """Return the greatest difference of a probability on the probes; raises ``ModelArtifactError`` above the limit."""
    quantised = load_pretrained(str(folder), folder, threads=1, defaults=Defaults())
    farthest = float(np.abs(quantised.probabilities(_PROBES) - original).max())
    if farthest > _FARTHEST:
        raise ModelArtifactError(
            f"The quantised model's probabilities are up to {farthest:.2f} from the original's; "
            "this model does not stand plain int8."
        )
    return farthest


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, export, and say where the model is; ends with a sentence and status 1 on failure."""
    given = _parser().parse_args(arguments)
    options = ExportOptions(
        version=given.version,
        prepare=given.prepare or prepare_for(given.name),
        languages=tuple(given.languages),
        max_tokens=given.max_tokens,
        labels=tuple(given.labels) if given.labels else None,
    )
    try:
        farthest = export(given.name, given.out, options)
    except ModelArtifactError as error:
        sys.exit(str(error))
    print(json.dumps({"folder": str(given.out), "farthest_probability": round(farthest, 4)}))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sentiment_service export", description=__doc__)
    parser.add_argument("name", help="a Hugging Face id or the folder of such a model")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--version", default="1")
    parser.add_argument(
        "--prepare", choices=sorted(PREPARE), help="how texts are written for it; by default by its name"
    )
    parser.add_argument("--languages", nargs="+", default=["es"])
    parser.add_argument("--labels", nargs="+", choices=LABELS, help="of its outputs in order, if its names say nothing")
    parser.add_argument("--max-tokens", type=int, default=_MAX_TOKENS)
    return parser
