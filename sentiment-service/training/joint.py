"""Fine-tune one encoder for two questions: the sentiment of a text, and the sentiment towards a target in it.

    python training/joint.py --out RUN --init RUN --texts NAME=FILE[:WEIGHT] … --pairs NAME=FILE[:WEIGHT] …

The head has six rows: LABELS for the text, then LABELS for the target. A text is read as `<s> text </s>`, a pair as
`<s> target </s> marked text </s>` (``sentiment_service.text.marking``). WEIGHT says how often a file's rows count in
an epoch; its rows kept for measuring (``sources.Row.measured``) are never trained on, and their accuracy and macro-F1
are printed. A file called `umsab…` is `label TAB text`, `own` is `kind TAB label TAB text`, `own_targets` is
`label TAB target TAB text`, `corpus…` is `corpus/posts.tsv`: those are trained on whole. `held_umsab…` is measured on
whole, and so is every other `held…`, which has a header. With ``--cleared`` only `own…` and `corpus…` are trained on,
which are this project's; everything else was given out for research, or without a licence, and is measured only.
"""

import argparse
import json
import math
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import finetune  # type: ignore[import-not-found, unused-ignore]
import numpy as np
import torch
from evaluate import class_scores, confusion  # type: ignore[import-not-found, unused-ignore]
from numpy.typing import NDArray
from safetensors.torch import load_file
from sources import Row, read_corpus, read_pairs, read_texts, read_umsab  # type: ignore[import-not-found, unused-ignore]
from tokenizers import Tokenizer
from torch import nn

from sentiment_service.classifiers.base import LABELS
from sentiment_service.text.marking import marked
from sentiment_service.text.normalise import normalise
from tools.e5 import weights as e5

TEXT, TARGET = 0, 1
OURS = ("own", "corpus")


@dataclass(frozen=True)
class Example:
    """Token ids, the probability of each of LABELS, and which question is asked."""

    ids: list[int]
    target: tuple[float, ...]
    task: int


def encoded(rows: Sequence[Row], tokenizer: Tokenizer) -> list[Example]:
    """Return the rows as the network reads them."""
    texts = tokenizer.encode_batch([marked(r.text, r.target) if r.target else normalise(r.text) for r in rows])
    targets = tokenizer.encode_batch([normalise(row.target) for row in rows])
    return [
        Example(
            target.ids + text.ids[1:] if row.target else text.ids,
            finetune.target_of(row.label),
            TARGET if row.target else TEXT,
        )
        for row, text, target in zip(rows, texts, targets, strict=True)
    ]


def read(name: str, path: Path, *, pairs: bool) -> list[Row]:
    """Return the rows of a file of any of the forms named above."""
    if name.removeprefix("held_").startswith("umsab"):
        return list(read_umsab(path))
    if name.startswith("corpus"):
        return list(read_corpus(path, pairs=pairs))
    if name.startswith("own"):
        lines = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines())
        return [Row(a[0], a[2], a[1], name) if pairs else Row(a[1], a[2], "", name) for a in lines]
    return list(read_pairs(path) if pairs else read_texts(path))


def build(init: Path | None, dropout: float) -> finetune.MeanPooledBert:
    """Return the network of e5 or of a run with a head of six rows; those of a head of three are taken twice."""
    layers = None if init is None else list(range(json.loads((init / "config.json").read_text())["layers"]))
    model = finetune.build(None, layers, dropout)
    model.classifier = nn.Linear(model.config.hidden_size, 2 * len(LABELS))
    if init is not None:
        model.load_state_dict(with_six_rows(load_file(init / "weights.safetensors")), strict=False)
    return model


def freeze(model: finetune.MeanPooledBert, layers: int) -> None:
    """Leave the embeddings and the lowest ``layers`` as they are; without any, everything but the words is trained."""
    if layers:
        for part in (model.bert.embeddings, *model.bert.encoder.layer[:layers]):
            part.requires_grad_(False)


def with_six_rows(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the tensors of a run; a head of three rows is taken twice."""
    made = dict(tensors)
    if len(made["classifier.bias"]) == len(LABELS):
        made |= {name: torch.cat([made[name], made[name]]) for name in ("classifier.weight", "classifier.bias")}
    return made


def train(
    model: finetune.MeanPooledBert, sources: Sequence[tuple[list[Example], float]], options: argparse.Namespace
) -> None:
    """Train in place; the model ends with the mean of the weights over the last 30% of the steps."""
    generator = random.Random(options.seed)
    steps = int(sum(len(rows) * weight for rows, weight in sources) * options.epochs / finetune.BATCH)
    optim = finetune.optimiser(model, options.rate, options.head_rate, options.layer_decay)
    rates = torch.optim.lr_scheduler.LambdaLR(optim, lambda step: finetune.schedule(step, steps))
    mean = torch.optim.swa_utils.AveragedModel(model)
    model.train()
    step, started = 0, time.monotonic()
    while step < steps:
        for batch in finetune.batches(sampled(sources, generator), generator):
            if step >= steps:
                break
            loss = learn(model, batch, optim, options.smoothing)
            rates.step()
            step += 1
            if step > 0.7 * steps:
                mean.update_parameters(model)
            if step % 50 == 0:
                speed = step * finetune.BATCH / (time.monotonic() - started)
                print(f"step {step}/{steps} loss {loss:.3f} {speed:.0f} texts/s", flush=True)
    model.load_state_dict(mean.module.state_dict())


def sampled(sources: Sequence[tuple[list[Example], float]], generator: random.Random) -> list[Example]:
    """Return the rows of one epoch: each file's rows as often as its weight, a broken part by chance."""
    rows: list[Example] = []
    for examples, weight in sources:
        whole, part = divmod(weight, 1)
        rows += examples * int(whole) + generator.sample(examples, math.floor(part * len(examples)))
    return rows


def losses(logits: torch.Tensor, batch: Sequence[Example], smoothing: float) -> torch.Tensor:
    """Return the mean cross entropy, each example by the rows of the head that its question has."""
    targets = torch.tensor([example.target for example in batch])
    tasks = torch.tensor([example.task for example in batch])
    own = logits.view(len(batch), 2, len(LABELS))[torch.arange(len(batch)), tasks]
    return nn.functional.cross_entropy(own, targets, label_smoothing=smoothing)


def learn(
    model: finetune.MeanPooledBert, batch: Sequence[Example], optim: torch.optim.Optimizer, smoothing: float
) -> float:
    """One step; returns the loss."""
    ids, mask, _ = finetune.tensors(batch)
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(ids, mask).logits.float()
    loss = losses(logits, batch, smoothing)
    loss.backward()
    nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], 1.0)
    optim.step()
    optim.zero_grad()
    return float(loss.item())


@torch.no_grad()
def predict(model: finetune.MeanPooledBert, examples: Sequence[Example]) -> NDArray[np.float32]:
    """Return logits of shape (examples, LABELS), each of its own question, in order."""
    model.eval()
    logits = np.zeros((len(examples), len(LABELS)), dtype=np.float32)
    order = sorted(range(len(examples)), key=lambda at: len(examples[at].ids))
    for start in range(0, len(order), 64):
        rows = order[start : start + 64]
        ids, mask, _ = finetune.tensors([examples[row] for row in rows])
        with torch.autocast("cpu", torch.bfloat16):
            found = model(ids, mask).logits.float().numpy().reshape(len(rows), 2, len(LABELS))
        logits[rows] = found[np.arange(len(rows)), [examples[row].task for row in rows]]
    return logits


def scores(truth: NDArray[np.int64], found: NDArray[np.int64]) -> dict[str, float]:
    """Return accuracy and macro-F1."""
    table = confusion(truth, found, len(LABELS))
    accuracy, macro_f1 = np.trace(table) / len(truth), class_scores(table)[:, 2].mean()
    return {"n": len(truth), "accuracy": round(float(accuracy), 4), "macro_f1": round(float(macro_f1), 4)}


def run(options: argparse.Namespace) -> None:
    """Train, measure on what was kept apart, write the run."""
    torch.manual_seed(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    tokenizer = e5.tokenizer(e5.read(e5.installed()).pieces, finetune.LONGEST)
    sources, kept = [], {}
    for named, pairs in [*((one, False) for one in options.texts), *((one, True) for one in options.pairs)]:
        name, file = named.split("=", 1)
        path, _, weight = file.partition(":")
        rows = read(name, Path(path), pairs=pairs)
        held, whole = name.startswith("held"), name.startswith(("umsab", *OURS))
        kept[name] = [row for row in rows if held or (row.measured and not whole)]
        left_out = held or (options.cleared and not name.startswith(OURS))
        trained = [row for row in rows if not left_out and (whole or not row.measured)]
        sources.append((encoded(trained, tokenizer), float(weight or 1)))
        print(f"{name}: {len(trained)} x {weight or 1}, {len(kept[name])} kept apart", flush=True)
    model = build(options.init, options.dropout)
    freeze(model, options.frozen)
    train(model, sources, options)
    finetune.save(model, options.out)
    measured = {}
    for name, rows in kept.items():
        if rows:
            logits = predict(model, encoded(rows, tokenizer))
            np.save(options.out / f"{name}.npy", logits)
            measured[name] = scores(np.array([LABELS.index(row.label) for row in rows]), logits.argmax(1))
    (options.out / "measured.json").write_text(json.dumps(measured, indent=1))
    print(json.dumps(measured, indent=1))


def main() -> None:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    finetune.add_training_options(parser)
    parser.add_argument("--texts", nargs="*", default=[])
    parser.add_argument("--pairs", nargs="*", default=[])
    parser.add_argument("--frozen", type=int, default=0, help="how many of the lowest layers stay as they are")
    parser.add_argument("--cleared", action="store_true", help="train on this project's own sentences only")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    run(options)


if __name__ == "__main__":
    main()
