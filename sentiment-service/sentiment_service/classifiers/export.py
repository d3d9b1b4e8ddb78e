"""`python -m sentiment_service export NAME --out FOLDER`: a Hugging Face model to a model folder of this service.

It downloads (or reads) the model, writes it as ONNX, quantises it, writes its tokenizer and configuration beside it,
checks that the quantised network still answers like the original, and writes the manifest with the digests. It needs
torch and onnx, which the service does not: `uv sync --group training`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from castor_chassis import ModelArtifactError, ModelFolder
from sentiment_service.classifiers.base import LABELS, Label
from sentiment_service.classifiers.hub import MANIFEST_FILE, first_line, hub_id
from sentiment_service.classifiers.pretrained import (
    CONFIG_FILE,
    REMEDY,
    Defaults,
    load_pretrained,
    longest_of,
    outputs_for,
    prepare_for,
    transformers_library,
)
from sentiment_service.classifiers.transformer import MODEL_FILE, PREPARE

_MAX_TOKENS = 128
_LEAST_TOKENS = 8
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

    ``out`` appears, or replaces an earlier export, when all is written and checked; until then it is left as it is.

    Raises:
        ModelArtifactError: The model cannot be read, has other labels, or the quantised one answers differently; or
            ``out`` holds something else than an earlier export.
    """
    _check_free(out)
    place = _place(name)
    torch, transformers, quantisation = _needed()
    tokenizer, model = _read(transformers, name, place)
    outputs = outputs_for(name, tokenizer, model.config, options.labels)
    if options.labels:
        model.config.id2label = dict(enumerate(outputs))
    with replacing(out) as made, tempfile.TemporaryDirectory() as scratch:
        float_network = Path(scratch) / "float.onnx"
        tokenizer.save_pretrained(made)
        model.config.save_pretrained(made)
        _to_onnx(torch, name, model, tokenizer, float_network)
        quantisation.quantize_dynamic(
            float_network, made / MODEL_FILE, per_channel=True, weight_type=quantisation.QuantType.QInt8
        )
        _write_manifest(name, made, options, min(options.max_tokens, longest_of(model.config, tokenizer)))
        return _farthest(made, _answers(torch, model, tokenizer, outputs, options.prepare))


@contextmanager
def replacing(out: Path) -> Iterator[Path]:
    """Yield an empty folder, which becomes ``out`` when the block ends without an error."""
    _check_free(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".export-") as scratch:
        made = Path(scratch) / "made"
        made.mkdir()
        yield made
        if out.exists():
            shutil.rmtree(out)
        made.rename(out)


def _check_free(out: Path) -> None:
    """Raise ``ModelArtifactError`` if what is at ``out`` is neither an empty folder nor an earlier export."""
    if out.is_dir():
        if (out / MANIFEST_FILE).is_file() or not any(out.iterdir()):
            return
    elif not out.exists():
        return
    raise ModelArtifactError(f"{out} holds something else than an earlier export; name a new or an empty folder.")


def _place(name: str) -> dict[str, str]:
    """Return what transformers is asked for: a folder, or a Hugging Face id and its revision."""
    if not Path(name).is_dir():
        owned, revision = hub_id(name)
        return {"pretrained_model_name_or_path": owned, **({"revision": revision} if revision else {})}
    if not (Path(name) / CONFIG_FILE).is_file():
        raise ModelArtifactError(f"The folder {name} has no {CONFIG_FILE}: it holds no Hugging Face model.")
    return {"pretrained_model_name_or_path": name}


def _read(transformers: Any, name: str, place: Mapping[str, str]) -> tuple[Any, Any]:
    """Return the tokenizer and the network."""
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(**place)
        model = transformers.AutoModelForSequenceClassification.from_pretrained(**place).eval()
    # Tokenizers raise errors of their own making, with no base but Exception.
    except Exception as error:
        remedy = "Without a network, name a folder; HF_ENDPOINT names a mirror of the hub."
        if Path(name).is_dir():
            remedy = "It needs its tokenizer and its weights for torch in that folder."
        raise ModelArtifactError(
            f"The model {name} cannot be read: {first_line(error).rstrip('.')}. {remedy}"
        ) from error
    return tokenizer, model


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


def _to_onnx(torch: Any, name: str, model: Any, tokenizer: Any, path: Path) -> None:
    try:
        _write_onnx(torch, model, tokenizer, path)
    # What torch raises for a network that it cannot write depends on the step that failed.
    except Exception as error:
        raise ModelArtifactError(
            f"torch cannot write the network of {name} as ONNX: {first_line(error)}. A model.onnx of another tool "
            "beside its config.json and tokenizer works as well."
        ) from error


def _write_onnx(torch: Any, model: Any, tokenizer: Any, path: Path) -> None:
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
    parser.add_argument("name", help="a Hugging Face id (owner/name or owner/name@revision) or a folder")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--version", default="1")
    parser.add_argument(
        "--prepare", choices=sorted(PREPARE), help="how texts are written for it; by default by its name"
    )
    parser.add_argument("--languages", nargs="+", default=["es"])
    parser.add_argument("--labels", nargs="+", choices=LABELS, help="of its outputs in order, if its names say nothing")
    parser.add_argument("--max-tokens", type=_length, default=_MAX_TOKENS, help="longer texts are read in parts")
    return parser


def _length(written: str) -> int:
    if not written.isdecimal() or int(written) < _LEAST_TOKENS:
        raise argparse.ArgumentTypeError(f"{written} is no number of at least {_LEAST_TOKENS} tokens")
    return int(written)
