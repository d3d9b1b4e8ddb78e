"""Make the model folder that ships from a run: prune the vocabulary, quantise, write tokenizer and manifest.

    python training/pack.py RUN --texts FILE … --out ../sentiment_service/models/transformer [--float FOLDER]

``--texts`` are files whose words must stay in the vocabulary; on the first the inputs of the matrix
products are observed.
``--float`` writes the same model in float32 too, to measure what int8 costs. The manifest is written without scores;
`calibrate.py` and `card.py` add them.
"""

import argparse
import json
from pathlib import Path

import finetune  # type: ignore[import-not-found, unused-ignore]
import joint  # type: ignore[import-not-found, unused-ignore]
import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from tokenizers import Tokenizer

from castor_chassis import ModelFolder
from sentiment_service.classifiers.base import LABELS, REMEDY
from sentiment_service.classifiers.transformer import MODEL_FILE, TOKENIZER_FILE
from sentiment_service.text.normalise import normalise
from tools.e5 import graph
from tools.e5 import weights as e5
from tools.e5.vocabulary import kept_pieces

MODEL_ID = "castor-e5-es"
MAX_TOKENS = 128
_SHOWN = 256


def network_of(run: Path) -> finetune.MeanPooledBert:
    """Return the network of a run for inference, with the head of three or of six rows that the run has."""
    rows = len(load_file(run / "weights.safetensors")["classifier.bias"])
    network = joint.build(run, 0.0) if rows > len(LABELS) else finetune.build(run, None, 0.0)
    return network.eval()


def peaks_of(model: finetune.MeanPooledBert, texts: Path, tokenizer: Tokenizer) -> dict[str, NDArray[np.float32]]:
    """Return the greatest absolute value of each input of the matrix products, on some texts; see `graph.build`."""
    found: dict[str, NDArray[np.float32]] = {}

    def watch(name: str, given: torch.Tensor) -> None:
        seen = given.detach().abs().amax((0, 1)).numpy()
        found[name] = np.maximum(found.get(name, np.zeros_like(seen)), seen)

    hooks = []
    for number, layer in enumerate(model.bert.encoder.layer):
        products = {"qkv": layer.attention.self.query, "up": layer.intermediate.dense, "down": layer.output.dense}
        for part, module in products.items():
            name = f"{number}.{part}"
            hooks.append(module.register_forward_pre_hook(lambda _, given, name=name: watch(name, given[0])))
    finetune.predict(model, finetune.read_examples(texts, tokenizer)[:_SHOWN])
    for hook in hooks:
        hook.remove()
    return found


def write_folder(folder: Path, model: onnx.ModelProto, tokenizer: Tokenizer, version: str) -> None:
    """Write a model folder without scores."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save_model(model, str(folder / MODEL_FILE))
    compact = json.loads(tokenizer.to_str(pretty=False))
    (folder / TOKENIZER_FILE).write_text(json.dumps(compact, ensure_ascii=False, separators=(",", ":")), "utf-8")
    manifest = {
        "id": MODEL_ID,
        "version": version,
        "languages": ["es", "en", "pt"],
        "labels": list(LABELS),
        "prepare": "castor",
        "max_tokens": MAX_TOKENS,
        "pad_id": e5.PAD,
        "held_out": {},
    }
    ModelFolder(folder, REMEDY).write_manifest(manifest, (MODEL_FILE, TOKENIZER_FILE))


def main() -> None:
    """Read the options and write the folders."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--texts", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--float", type=Path)
    parser.add_argument("--version", default="1.0.0")
    options = parser.parse_args()
    torch.set_num_threads(1)
    source = e5.read(e5.installed())
    model = network_of(options.run)
    peaks = peaks_of(model, options.texts[0], e5.tokenizer(source.pieces, finetune.LONGEST))
    lines = (line for file in options.texts for line in file.read_text("utf-8").splitlines())
    kept = kept_pieces(source.pieces, (normalise(line.split("\t")[-1]) for line in lines))
    tokenizer = e5.tokenizer([source.pieces[number] for number in kept])
    tensors = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    tensors[finetune.FROZEN] = tensors[finetune.FROZEN][kept]
    sizes = {"heads": source.sizes.heads, "epsilon": source.sizes.epsilon, "peaks": peaks, "ending": graph.classify}
    write_folder(options.out, graph.build(tensors, quantised=True, **sizes), tokenizer, options.version)
    if options.float is not None:
        write_folder(options.float, graph.build(tensors, quantised=False, **sizes), tokenizer, options.version)
    size = sum(file.stat().st_size for file in options.out.iterdir())
    print(
        json.dumps({"pieces": len(kept), "layers": model.config.num_hidden_layers, "megabytes": round(size / 1e6, 1)})
    )


if __name__ == "__main__":
    main()
