"""Fine-tune the encoder on labelled or softly labelled text; write the weights, and predictions for other files.

    python training/finetune.py --out RUN [--init RUN] [--layers 0,2,4] --train FILE … [--fold 2/5] [--predict FILE …]

Files have `label TAB text`, `language TAB label TAB text` (choose with --languages), or, with probabilities in place
of a label, `positive,neutral,negative TAB text`. `--fold i/k` leaves every k-th text of the --folded file out and
predicts those. RUN receives weights.safetensors, config.json and one .npy of logits for each predicted file.
"""

import argparse
import json
import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from architecture import MeanPooledBert  # type: ignore[import-not-found, unused-ignore]
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import nn
from transformers import BertConfig

from sentiment_service.classifiers.base import LABELS
from sentiment_service.text.normalise import normalise
from tools.e5 import weights as e5

BATCH = 32
POOL = 8
LONGEST = 96
FROZEN = "bert.embeddings.word_embeddings.weight"


@dataclass(frozen=True)
class Example:
    """Token ids, and the probability of each of LABELS."""

    ids: list[int]
    target: tuple[float, ...]


def read_examples(path: Path, tokenizer: Tokenizer, languages: Sequence[str] = ()) -> list[Example]:
    """Read any of the three formats."""
    targets, texts = [], []
    for line in path.read_text(encoding="utf-8").splitlines():
        parts = line.split("\t", 2)
        if len(parts) == 3 and parts[1] in LABELS:
            if languages and parts[0] not in languages:
                continue
            parts = parts[1:]
        targets.append(target_of(parts[0]))
        texts.append(normalise("\t".join(parts[1:])))
    return [Example(e.ids, t) for e, t in zip(tokenizer.encode_batch(texts), targets, strict=True)]


def target_of(written: str) -> tuple[float, ...]:
    """Return the probabilities of LABELS that a label or `p,p,p` stands for."""
    if written in LABELS:
        return tuple(float(written == label) for label in LABELS)
    return tuple(float(part) for part in written.split(","))


def build(init: Path | None, layers: Sequence[int] | None, dropout: float) -> MeanPooledBert:
    """Return the network: e5 with a new head, or an earlier run; ``layers`` keeps only those of its layers."""
    source = e5.read(e5.installed())
    config = _config(source.sizes)
    loaded = {f"bert.{name}": torch.from_numpy(tensor) for name, tensor in source.tensors.items()}
    if init is None:
        tensors = loaded
    else:
        config.num_hidden_layers = json.loads((init / "config.json").read_text())["layers"]
        tensors = load_file(init / "weights.safetensors") | {FROZEN: loaded[FROZEN]}
    if layers is not None:
        tensors = keep_layers(tensors, layers)
        config.num_hidden_layers = len(layers)
    config.num_labels = len(LABELS)
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = dropout
    model = MeanPooledBert(config)
    missing = model.load_state_dict(tensors, strict=False)
    if missing.unexpected_keys or any("classifier" not in key for key in missing.missing_keys):
        raise ValueError(f"{init} does not fit the network: {missing}")
    model.bert.embeddings.word_embeddings.requires_grad_(False)
    return model


def _config(sizes: e5.Sizes) -> BertConfig:
    return BertConfig(
        vocab_size=sizes.words,
        hidden_size=sizes.hidden,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        intermediate_size=sizes.inner,
        max_position_embeddings=sizes.positions,
        type_vocab_size=sizes.types,
        layer_norm_eps=sizes.epsilon,
        pad_token_id=e5.PAD,
    )


def keep_layers(tensors: dict[str, torch.Tensor], layers: Sequence[int]) -> dict[str, torch.Tensor]:
    """Return the tensors of the given encoder layers, renumbered from 0, and everything outside the layers."""
    prefix = "bert.encoder.layer."
    kept = {name: tensor for name, tensor in tensors.items() if not name.startswith(prefix)}
    for new, old in enumerate(layers):
        start = f"{prefix}{old}."
        kept |= {
            f"{prefix}{new}.{name.removeprefix(start)}": tensor
            for name, tensor in tensors.items()
            if name.startswith(start)
        }
    return kept


def batches(examples: Sequence[Example], generator: random.Random) -> Iterator[list[Example]]:
    """Yield shuffled batches of texts of similar length: sorted within pools of some batches."""
    order = list(examples)
    generator.shuffle(order)
    size = BATCH * POOL
    made = []
    for start in range(0, len(order), size):
        pool = sorted(order[start : start + size], key=lambda example: len(example.ids))
        made += [pool[at : at + BATCH] for at in range(0, len(pool), BATCH)]
    generator.shuffle(made)
    yield from made


def tensors(batch: Sequence[Example]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return ids and mask of shape (texts, tokens), and targets of shape (texts, labels)."""
    width = max(len(example.ids) for example in batch)
    ids = torch.full((len(batch), width), e5.PAD)
    for row, example in enumerate(batch):
        ids[row, : len(example.ids)] = torch.tensor(example.ids)
    return ids, (ids != e5.PAD).long(), torch.tensor([example.target for example in batch])


def optimiser(model: MeanPooledBert, rate: float, head_rate: float, decay: float) -> torch.optim.Optimizer:
    """AdamW; the rate shrinks by ``decay`` from each layer to the one below."""
    top = model.config.num_hidden_layers
    groups = []
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        depth = int(name.split(".")[3]) + 1 if ".layer." in name else 0
        scaled = head_rate if name.startswith("classifier") else rate * decay ** (top - depth)
        groups.append({"params": [parameter], "lr": scaled, "weight_decay": 0.01 if parameter.ndim > 1 else 0.0})
    return torch.optim.AdamW(groups, betas=(0.9, 0.98), eps=1e-6)


def schedule(step: int, steps: int) -> float:
    """Return the factor of the rate: 6% linear warm-up, then linear to 2%."""
    warm = max(1, int(0.06 * steps))
    return (step + 1) / warm if step < warm else 0.02 + 0.98 * (steps - step) / max(1, steps - warm)


def train(model: MeanPooledBert, examples: Sequence[Example], options: argparse.Namespace) -> None:
    """Train in place; the model ends with the mean of the weights over the last 30% of the steps."""
    generator = random.Random(options.seed)
    per_epoch = math.ceil(len(examples) / BATCH)
    steps = int(per_epoch * options.epochs)
    optim = optimiser(model, options.rate, options.head_rate, options.layer_decay)
    rates = torch.optim.lr_scheduler.LambdaLR(optim, lambda step: schedule(step, steps))
    mean = torch.optim.swa_utils.AveragedModel(model)
    model.train()
    step, started = 0, time.monotonic()
    while step < steps:
        for batch in batches(examples, generator):
            if step >= steps:
                break
            loss = learn(model, batch, optim, options.smoothing)
            rates.step()
            step += 1
            if step > 0.7 * steps:
                mean.update_parameters(model)
            if step % 50 == 0:
                print(f"step {step}/{steps} loss {loss:.3f} {step * BATCH / (time.monotonic() - started):.0f} texts/s")
    model.load_state_dict(mean.module.state_dict())


def learn(model: MeanPooledBert, batch: Sequence[Example], optim: torch.optim.Optimizer, smoothing: float) -> float:
    """One step; returns the loss. The matrix products run in bfloat16 where the processor has it."""
    ids, mask, targets = tensors(batch)
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(ids, mask).logits.float()
    loss = nn.functional.cross_entropy(logits, targets, label_smoothing=smoothing)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optim.step()
    optim.zero_grad()
    return loss.item()


@torch.no_grad()
def predict(model: MeanPooledBert, examples: Sequence[Example]) -> NDArray[np.float32]:
    """Return logits of shape (texts, rows of the head), in order, in float32."""
    model.eval()
    logits = np.zeros((len(examples), model.classifier.out_features), dtype=np.float32)
    order = sorted(range(len(examples)), key=lambda at: len(examples[at].ids))
    for start in range(0, len(order), 64):
        rows = order[start : start + 64]
        ids, mask, _ = tensors([examples[row] for row in rows])
        logits[rows] = model(ids, mask).logits.numpy()
    return logits


def save(model: MeanPooledBert, folder: Path) -> None:
    """Write the weights but the word table, which training leaves as it is."""
    kept = {name: tensor.contiguous() for name, tensor in model.state_dict().items() if name != FROZEN}
    save_file(kept, folder / "weights.safetensors")
    (folder / "config.json").write_text(json.dumps({"layers": model.config.num_hidden_layers}))


def in_fold(count: int, fold: str | None) -> NDArray[np.bool_]:
    """Return which of ``count`` texts the fold `i/k` leaves out: every k-th, from the i-th on; none without a fold."""
    if fold is None:
        return np.zeros(count, dtype=bool)
    which, folds = (int(part) for part in fold.split("/"))
    return np.asarray(np.arange(count) % folds == which)


def run(options: argparse.Namespace) -> None:
    """Train and predict as the options say."""
    torch.manual_seed(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    tokenizer = e5.tokenizer(e5.read(e5.installed()).pieces, LONGEST)
    examples = [e for path in options.train for e in read_examples(path, tokenizer, options.languages)]
    held: list[Example] = []
    if options.folded is not None:
        folded = read_examples(options.folded, tokenizer)
        left_out = in_fold(len(folded), options.fold)
        examples += [e for e, out in zip(folded, left_out, strict=True) if not out] * options.repeat
        held = [e for e, out in zip(folded, left_out, strict=True) if out]
    print(f"{len(examples)} texts to train on, {len(held)} held out")
    model = build(options.init, options.layers, options.dropout)
    train(model, examples, options)
    save(model, options.out)
    if held:
        np.save(options.out / "held_out.npy", predict(model, held))
    for path in options.predict:
        np.save(options.out / f"{path.stem}.npy", predict(model, read_examples(path, tokenizer)))


def add_training_options(parser: argparse.ArgumentParser) -> None:
    """Add what every fine-tuning asks: the runs to begin from and to write, and the settings of `train`."""
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--init", type=Path)
    parser.add_argument("--epochs", type=float, default=2.0)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--head-rate", type=float, default=5e-4)
    parser.add_argument("--layer-decay", type=float, default=0.9)
    parser.add_argument("--smoothing", type=float, default=0.1)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)


def main() -> None:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_training_options(parser)
    parser.add_argument("--layers", type=lambda text: [int(part) for part in text.split(",")])
    parser.add_argument("--train", type=Path, nargs="*", default=[])
    parser.add_argument("--folded", type=Path)
    parser.add_argument("--repeat", type=int, default=1, help="how often the folded file counts")
    parser.add_argument("--fold")
    parser.add_argument("--languages", nargs="*", default=[])
    parser.add_argument("--predict", type=Path, nargs="*", default=[])
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    run(options)


if __name__ == "__main__":
    main()
