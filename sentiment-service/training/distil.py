"""Teach a network of fewer layers to answer as a run does: knowledge distillation (Hinton et al. 2015).

    python training/distil.py --teacher RUN --layers 0,1,2,4,5,7,8,10 --frozen 3 --out RUN --lessons FILE \\
        --posts FILE.csv … --without yardstick/texts.tsv yardstick/pairs.tsv --texts NAME=FILE … --pairs NAME=FILE …

The student begins as the named layers of the teacher, the lowest ``--frozen`` of which stay as they are and are the
teacher's own lowest, so their states are computed once. It learns on labelled rows (those that `joint.py` would train
on; rows kept for measuring are left out) and on ``--posts`` (CSV with columns id, text) without labels: each as a text,
and some also as pairs with names, handles and hashtags in them. The loss is the sum of three: the divergence from the
teacher's probabilities at temperature 2, the distance of the last states of each token (each unit divided by its
spread, as in DistilBERT, Sanh et al. 2019, but squared), and for labelled rows a little cross entropy.

``--without`` are files with the columns id and digest of the yardstick; posts with such an id, with the same words as
one of these, or as a row kept for measuring are never read. What the teacher says is kept in ``--lessons`` and read
from there if the file exists.
"""

import argparse
import csv
import random
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import finetune  # type: ignore[import-not-found, unused-ignore]
import joint  # type: ignore[import-not-found, unused-ignore]
import numpy as np
import torch
from safetensors.torch import load_file
from sources import Row  # type: ignore[import-not-found, unused-ignore]
from torch import nn
from yardstick.draw import SPANISH, TARGET, targets_of  # type: ignore[import-not-found, unused-ignore]

from sentiment_service.classifiers.base import LABELS
from sentiment_service.text.normalise import plain
from tools.e5 import weights as e5

TEMPERATURE = 2.0
LONGEST = 64
UNKNOWN = -1
_HASHTAG = re.compile(r"#\w{3,}")


@dataclass(frozen=True)
class Lessons:
    """What the teacher says of texts and pairs. The states of all tokens lie one text after the other.

    Row ``i`` has the tokens ``starts[i]`` to ``starts[i + 1]``; ``given`` are the states that the first trained layer
    reads, ``wanted`` the teacher's last ones, ``soft`` its log probabilities, ``labels`` numbers of LABELS or UNKNOWN.
    """

    starts: torch.Tensor
    given: torch.Tensor
    wanted: torch.Tensor
    soft: torch.Tensor
    labels: torch.Tensor
    tasks: torch.Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def lengths(self) -> torch.Tensor:
        """Return the tokens of each row."""
        return self.starts.diff()

    def padded(self, rows: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the given states, the wanted ones, and which of them stand for tokens."""
        spans = [(int(self.starts[row]), int(self.starts[row + 1])) for row in rows]
        given, wanted = (
            nn.utils.rnn.pad_sequence([states[first:last] for first, last in spans], batch_first=True)
            for states in (self.given, self.wanted)
        )
        lengths = torch.tensor([last - first for first, last in spans])
        return given, wanted, torch.arange(given.shape[1]) < lengths[:, None]


def words_of(text: str) -> str:
    """Return what makes two posts the same: their words."""
    return " ".join(re.findall(r"[^\W\d_]+", re.sub(r"@\w+|https?://\S+", " ", plain(text)).lower()))


def posts_of(files: Sequence[Path], without: Sequence[Path], kept: Iterable[str]) -> list[str]:
    """Return the Spanish posts, each once, without those named by id and without those that measure a model."""
    left_out = {line.split("\t")[0] for path in without for line in path.read_text("utf-8").splitlines()}
    found: dict[str, str] = {}
    measuring = {words_of(text) for text in kept}
    for path in files:
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                key = words_of(row["text"] or "")
                if row["id"] in left_out:
                    measuring.add(key)
                elif len(SPANISH.intersection(key.split())) > 1:
                    found.setdefault(key, " ".join(row["text"].split()))
    return [text for key, text in found.items() if key not in measuring]


def pairs_of(posts: Iterable[str], chance: random.Random) -> Iterator[Row]:
    """Yield up to two pairs of each post with what it names."""
    for text in posts:
        for _, target, _ in targets_of([("", text)], chance):
            yield Row("", text, target, "posts")
        tags = _HASHTAG.findall(text)
        if tags and not TARGET.search(text):
            yield Row("", text, chance.choice(tags), "posts")


def rows_of(options: argparse.Namespace) -> list[Row]:
    """Return every row that is learnt from; the label of those without one is empty."""
    labelled: list[Row] = []
    kept: list[str] = []
    for named, pairs in [*((one, False) for one in options.texts), *((one, True) for one in options.pairs)]:
        name, file = named.split("=", 1)
        rows = joint.read(name, Path(file), pairs=pairs)
        held, whole = name.startswith("held"), name.startswith(("umsab", *joint.OURS))
        kept += [row.text for row in rows if held or (row.measured and not whole)]
        labelled += [row for row in rows if not held and (whole or not row.measured)]
    chance = random.Random(options.seed)
    posts = posts_of(options.posts, options.without, kept)
    print(f"{len(labelled)} labelled rows, {len(posts)} posts", flush=True)
    named_in = list(pairs_of(posts, chance))
    texts = [Row("", text, "", "posts") for text in chance.sample(posts, min(len(posts), options.post_texts))]
    return [*labelled, *texts, *chance.sample(named_in, min(len(named_in), options.post_pairs))]


@torch.no_grad()
def taught(teacher: finetune.MeanPooledBert, rows: Sequence[Row], frozen: int) -> Lessons:
    """Ask the teacher."""
    examples = joint.encoded([Row(LABELS[0], row.text, row.target, row.source) for row in rows], _tokenizer())
    lengths = [min(len(example.ids), LONGEST) for example in examples]
    starts = torch.tensor([0, *np.cumsum(lengths)])
    given, wanted = (torch.empty(int(starts[-1]), teacher.config.hidden_size, dtype=torch.bfloat16) for _ in range(2))
    soft = torch.empty(len(rows), len(LABELS))
    order, began = sorted(range(len(rows)), key=lengths.__getitem__), time.monotonic()
    for number, at in enumerate(range(0, len(order), 64)):
        chosen = order[at : at + 64]
        ids, mask, _ = finetune.tensors([finetune.Example(examples[row].ids[:LONGEST], (0.0,)) for row in chosen])
        with torch.autocast("cpu", torch.bfloat16):
            below = through(teacher, teacher.bert.embeddings(ids), mask.bool(), range(frozen))
            last = through(teacher, below, mask.bool(), range(frozen, teacher.config.num_hidden_layers))
        own = answers(teacher, last, mask.bool(), [examples[row].task for row in chosen])
        soft[chosen] = own.log_softmax(-1)
        for place, row in enumerate(chosen):
            given[starts[row] : starts[row + 1]] = below[place, : lengths[row]].bfloat16()
            wanted[starts[row] : starts[row + 1]] = last[place, : lengths[row]].bfloat16()
        if number % 100 == 0:
            print(f"taught {at + len(chosen)} of {len(rows)} in {time.monotonic() - began:.0f} s", flush=True)
    labels = torch.tensor([LABELS.index(row.label) if row.label else UNKNOWN for row in rows])
    return Lessons(starts, given, wanted, soft, labels, torch.tensor([example.task for example in examples]))


def _tokenizer() -> finetune.Tokenizer:
    return e5.tokenizer(e5.read(e5.installed()).pieces, finetune.LONGEST)


def through(
    network: finetune.MeanPooledBert, states: torch.Tensor, mask: torch.Tensor, layers: Iterable[int]
) -> torch.Tensor:
    """Return the states after some layers; ``mask`` says which stand for tokens."""
    for layer in layers:
        states = network.bert.encoder.layer[layer](states, mask[:, None, None, :])
    return states


def answers(
    network: finetune.MeanPooledBert, states: torch.Tensor, mask: torch.Tensor, tasks: Sequence[int] | torch.Tensor
) -> torch.Tensor:
    """Return the logits of the question that each row asks, in float32."""
    share = mask.float() / mask.sum(1, keepdim=True)
    logits = network.classifier(torch.einsum("rt,rtu->ru", share, states.float()))
    return logits.view(len(states), 2, len(LABELS))[torch.arange(len(states)), torch.as_tensor(tasks)]


def student_of(teacher: Path, layers: Sequence[int], frozen: int) -> finetune.MeanPooledBert:
    """Return the network of some of the teacher's layers; only those above the ``frozen`` lowest can be trained."""
    if list(layers[:frozen]) != list(range(frozen)):
        raise SystemExit("--layers must begin with all of the teacher's --frozen lowest, for example 0,1,2 for 3.")
    student = finetune.build(None, range(len(layers)), 0.0)
    student.classifier = nn.Linear(student.config.hidden_size, 2 * len(LABELS))
    tensors = joint.with_six_rows(load_file(teacher / "weights.safetensors"))
    student.load_state_dict(finetune.keep_layers(tensors, layers), strict=False)
    student.bert.embeddings.requires_grad_(False)
    joint.freeze(student, frozen)
    return student


def loss_of(
    student: finetune.MeanPooledBert, lessons: Lessons, rows: Sequence[int], spread: torch.Tensor, frozen: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the divergence from the teacher, the distance of the states, and the cross entropy of known labels."""
    given, wanted, mask = lessons.padded(rows)
    with torch.autocast("cpu", torch.bfloat16):
        last = through(student, given, mask, range(frozen, student.config.num_hidden_layers)).float()
    own, labels = answers(student, last, mask, lessons.tasks[rows]), lessons.labels[rows]
    soft = (lessons.soft[rows] / TEMPERATURE).log_softmax(-1)
    divergence = nn.functional.kl_div((own / TEMPERATURE).log_softmax(-1), soft, reduction="batchmean", log_target=True)
    distance = ((last - wanted.float()) / spread)[mask].square().mean()
    known = labels != UNKNOWN
    entropy = nn.functional.cross_entropy(own[known], labels[known], label_smoothing=0.1, reduction="sum")
    return TEMPERATURE**2 * divergence, distance, entropy / len(rows)


def batches(lengths: torch.Tensor, rows: Sequence[int], generator: random.Random) -> Iterator[list[int]]:
    """Yield shuffled batches of rows of similar length, without end."""
    while True:
        order, made = generator.sample(rows, len(rows)), []
        for start in range(0, len(order), finetune.BATCH * 16):
            pool = sorted(order[start : start + finetune.BATCH * 16], key=lambda row: int(lengths[row]))
            made += [pool[at : at + finetune.BATCH] for at in range(0, len(pool), finetune.BATCH)]
        generator.shuffle(made)
        yield from made


def learn(student: finetune.MeanPooledBert, lessons: Lessons, options: argparse.Namespace) -> None:
    """Train in place; the student ends with the mean of its weights over the last 30 % of the steps."""
    generator = random.Random(options.seed)
    spread = lessons.wanted[: 1 << 17].float().std(0)
    optim = finetune.optimiser(student, options.rate, options.head_rate, 1.0)
    steps = int(len(lessons) * options.passes / finetune.BATCH)
    rates = torch.optim.lr_scheduler.LambdaLR(optim, lambda step: finetune.schedule(step, steps))
    trained = [one for one in student.parameters() if one.requires_grad]
    mean, counted = [one.detach().clone() for one in trained], 0
    recent, began = np.zeros(3), time.monotonic()
    student.train()
    for step, rows in enumerate(batches(lessons.lengths(), range(len(lessons)), generator), 1):
        parts = loss_of(student, lessons, rows, spread, options.frozen)
        (parts[0] + options.states * parts[1] + options.labels * parts[2]).backward()
        nn.utils.clip_grad_norm_(trained, 1.0)
        optim.step()
        optim.zero_grad()
        rates.step()
        recent += (np.array([float(part.detach()) for part in parts]) - recent) / min(step, 100)
        if step > 0.7 * steps:
            counted += 1
            add_to_mean(mean, trained, counted)
        if step % 100 == 0:
            speed = step * finetune.BATCH / (time.monotonic() - began)
            print(f"step {step}/{steps} soft, states, labels {recent.round(3)} {speed:.0f} rows/s", flush=True)
        if step % 1000 == 0:
            finetune.save(student, options.out)
        if step == steps:
            break
    add_to_mean(trained, mean, 1)


@torch.no_grad()
def add_to_mean(mean: Sequence[torch.Tensor], found: Sequence[torch.Tensor], counted: int) -> None:
    """Let ``found`` be the ``counted``-th of the weights that each tensor of ``mean`` is the mean of, in place."""
    for one, new in zip(mean, found, strict=True):
        one.lerp_(new, 1 / counted)


def main() -> None:
    """Read the options, ask the teacher, train, write the run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("teacher", "out", "lessons"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    for name in ("texts", "pairs"):
        parser.add_argument(f"--{name}", nargs="*", default=[])
    for name in ("posts", "without"):
        parser.add_argument(f"--{name}", type=Path, nargs="*", default=[])
    parser.add_argument("--layers", type=lambda text: [int(part) for part in text.split(",")], required=True)
    for name, value in {"frozen": 3, "post-texts": 16_000, "post-pairs": 8_000, "seed": 0, "threads": 1}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    for name, share in {"passes": 6.0, "rate": 2e-4, "head-rate": 5e-4, "states": 0.5, "labels": 0.2}.items():
        parser.add_argument(f"--{name}", type=float, default=share)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    # The fused attention of torch on a CPU takes 55 ms backwards for 32 texts, the plain one 10 ms.
    torch.backends.cuda.enable_flash_sdp(False)
    torch.manual_seed(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    if not options.lessons.exists():
        lessons = taught(joint.build(options.teacher, 0.0).eval(), rows_of(options), options.frozen)
        torch.save({one.name: getattr(lessons, one.name) for one in fields(lessons)}, options.lessons)
    lessons = Lessons(**torch.load(options.lessons))
    student = student_of(options.teacher, options.layers, options.frozen)
    learn(student, lessons, options)
    finetune.save(student, options.out)


if __name__ == "__main__":
    main()
