"""`python -m sentiment_service export NAME --out FOLDER`: a Hugging Face model to a model folder of this service.

It downloads (or reads) the model, writes it as ONNX, quantises it, checks that the quantised one still answers like the
original, and writes the manifest with the digests. It needs torch, transformers and onnx, which the service does not:
`uv sync --group training`, or the export stage of the Dockerfile.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sentiment_service.classifiers.artifacts import ModelError, write_manifest
from sentiment_service.classifiers.base import LABELS, Label
from sentiment_service.classifiers.transformer import MODEL_FILE, PREPARE, TOKENIZER_FILE, TransformerClassifier

_MAX_TOKENS = 128
_SPOKEN: Mapping[str, Label] = {
    "pos": "positive",
    "positive": "positive",
    "positivo": "positive",
    "neu": "neutral",
    "neutral": "neutral",
    "neg": "negative",
    "negative": "negative",
    "negativo": "negative",
}
_PROBES = (
    "Qué alegría tan grande, gracias a todos",
    "Qué vergüenza de gobierno, nos mintieron otra vez",
    "La rueda de prensa es a las 10 en la sede",
    "No me gusta nada lo que dijo @usuario hoy 😡",
    "Hoy salimos a votar con esperanza por un país mejor",
)
# A model whose answers move more than this has outlier activations that plain int8 cannot hold.
_FARTHEST = 0.15


def labels_of(id2label: Mapping[Any, str]) -> tuple[Label, ...]:
    """Return our label for each output of the model, in its own order; raises ``ModelError`` for other labels."""
    spoken = [str(id2label[key]) for key in sorted(id2label, key=int)]
    labels = tuple(_SPOKEN.get(name.lower(), name) for name in spoken)
    if sorted(labels) != sorted(LABELS):
        raise ModelError(
            f"The model's labels are {', '.join(spoken)}; this service needs exactly positive, neutral and negative. "
            "Set id2label in its config.json."
        )
    return labels  # type: ignore[return-value]  # they are LABELS, as just checked


def export(name: str, out: Path, *, version: str, prepare: str, languages: Sequence[str], max_tokens: int) -> float:
    """Write the model folder ``out``; return how far its probabilities are from the original's at most.

    Raises:
        ModelError: The model has other labels or no tokenizer.json, or the quantised one answers differently.
    """
    torch, transformers, quantisation = _needed()
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(name, use_fast=True)
        model = transformers.AutoModelForSequenceClassification.from_pretrained(name).eval()
    except (OSError, ValueError) as error:
        raise ModelError(f"The model {name} cannot be read: {error}") from error
    labels = labels_of(model.config.id2label)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        tokenizer.save_pretrained(scratch)
        _copy_tokenizer(Path(scratch), out, name)
        _to_onnx(torch, model, tokenizer, Path(scratch) / "float.onnx")
        quantisation.quantize_dynamic(
            Path(scratch) / "float.onnx", out / MODEL_FILE, per_channel=True, weight_type=quantisation.QuantType.QInt8
        )
    manifest: dict[str, Any] = {
        "id": name,
        "version": version,
        "languages": list(languages),
        "labels": list(labels),
        "prepare": prepare,
        "max_tokens": min(max_tokens, _longest(model.config, tokenizer)),
        "pad_id": tokenizer.pad_token_id or 0,
        "held_out": {},
    }
    write_manifest(out, manifest, (MODEL_FILE, TOKENIZER_FILE))
    return _checked(out, _answers(torch, model, tokenizer, labels, prepare))


def _needed() -> tuple[Any, Any, Any]:
    try:
        import torch
        import transformers
        from onnxruntime import quantization
    except ImportError as error:
        raise ModelError(f"The export needs {error.name}: run `uv sync --group training` first.") from error
    return torch, transformers, quantization


def _copy_tokenizer(written: Path, out: Path, name: str) -> None:
    try:
        (out / TOKENIZER_FILE).write_bytes((written / TOKENIZER_FILE).read_bytes())
    except OSError as error:
        raise ModelError(f"The model {name} has no tokenizer that the tokenizers library can hold.") from error


def _longest(config: Any, tokenizer: Any) -> int:
    # RoBERTa counts its positions from the padding id on, so two of them are never used.
    return min(int(config.max_position_embeddings) - 2, int(tokenizer.model_max_length))


def _to_onnx(torch: Any, model: Any, tokenizer: Any, path: Path) -> None:
    sample = tokenizer(list(_PROBES), padding=True, return_tensors="pt")
    inputs = [name for name in ("input_ids", "attention_mask") if name in sample]
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


def _answers(torch: Any, model: Any, tokenizer: Any, labels: Sequence[Label], prepare: str) -> Any:
    encoded = tokenizer([PREPARE[prepare](text) for text in _PROBES], padding=True, return_tensors="pt")
    with torch.no_grad():
        logits = model(**{name: encoded[name] for name in ("input_ids", "attention_mask")}).logits
    return torch.softmax(logits, -1).numpy()[:, [labels.index(label) for label in LABELS]]


def _checked(folder: Path, original: Any) -> float:
    """Return the greatest difference of a probability on the probes; raises ``ModelError`` where it is too great."""
    farthest = float(np.abs(TransformerClassifier.load(folder).probabilities(_PROBES) - original).max())
    if farthest > _FARTHEST:
        raise ModelError(
            f"The quantised model's probabilities are up to {farthest:.2f} from the original's; "
            "this model does not stand plain int8."
        )
    return farthest


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, export, and say where the model is; ends with a sentence and status 1 on failure."""
    parser = argparse.ArgumentParser(prog="python -m sentiment_service export", description=__doc__)
    parser.add_argument("name", help="a Hugging Face id or the folder of such a model")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--version", default="1")
    parser.add_argument(
        "--prepare", choices=sorted(PREPARE), help="how texts are written for it; by default by its name"
    )
    parser.add_argument("--languages", nargs="+", default=["es"])
    parser.add_argument("--max-tokens", type=int, default=_MAX_TOKENS)
    options = parser.parse_args(arguments)
    prepare = options.prepare or ("robertuito" if "robertuito" in options.name else "handles")
    try:
        farthest = export(
            options.name,
            options.out,
            version=options.version,
            prepare=prepare,
            languages=options.languages,
            max_tokens=options.max_tokens,
        )
    except ModelError as error:
        sys.exit(str(error))
    print(json.dumps({"folder": str(options.out), "farthest_probability": round(farthest, 4)}))
