"""Continue the pre-training of an encoder on unlabelled posts by guessing masked words (Gururangan et al. 2020).

    python training/pretrain.py --out RUN --init RUN --posts FILE.csv … [--without ids.tsv …]

Of 15 % of the tokens of a post 80 % are hidden, 10 % replaced by chance and 10 % left (Devlin et al. 2019). The output
layer is a dense layer and the word table itself, restricted to the pieces that the posts use; it is not kept.
``--without`` names files whose first column is the id of a post that must not be read, such as those of the yardstick.
"""

import argparse
import csv
import random
import re
import time
from collections.abc import Sequence
from pathlib import Path

import finetune  # type: ignore[import-not-found, unused-ignore]
import joint  # type: ignore[import-not-found, unused-ignore]
import torch
from tokenizers import Tokenizer
from torch import nn

from sentiment_service.text.normalise import normalise
from tools.e5 import weights as e5

MASKED = 0.15
_SHORTEST, _LONGEST = 5, 64
_SPECIAL = 4


class WordHead(nn.Module):
    """Scores the pieces in use at hidden positions."""

    def __init__(self, table: torch.Tensor, used: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("words", table[used])
        self.dense = nn.Linear(table.shape[1], table.shape[1])
        self.norm = nn.LayerNorm(table.shape[1])
        self.bias = nn.Parameter(torch.zeros(len(used)))

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Return logits of shape (positions, pieces in use)."""
        lifted = self.norm(nn.functional.gelu(self.dense(hidden)))
        return lifted @ self.words.T + self.bias


def posts_of(files: Sequence[Path], without: Sequence[Path]) -> list[str]:
    """Return the normalised posts, each once, without those named."""
    left_out = {line.split("\t")[0] for path in without for line in path.read_text("utf-8").splitlines()}
    found: dict[str, str] = {}
    for path in files:
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                text = normalise(row["text"] or "")
                key = " ".join(re.findall(r"\w+", text.lower()))
                if row["id"] not in left_out and len(key) > 15:
                    found.setdefault(key, text)
    return list(found.values())


def hidden(ids: torch.Tensor, used: torch.Tensor, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the ids with some hidden, and which positions are to be guessed."""
    chance = torch.rand(ids.shape, generator=generator)
    asked = (chance < MASKED) & (ids >= _SPECIAL)
    kind = torch.rand(ids.shape, generator=generator)
    other = used[torch.randint(len(used), ids.shape, generator=generator)]
    masked = torch.where(asked & (kind < 0.8), torch.full_like(ids, e5.UNKNOWN), ids)
    return torch.where(asked & (kind > 0.9), other, masked), asked


def train(
    model: finetune.MeanPooledBert,
    head: WordHead,
    used: torch.Tensor,
    posts: list[list[int]],
    options: argparse.Namespace,
) -> None:
    """Train in place."""
    column = {int(piece): at for at, piece in enumerate(used)}
    generator, chance = torch.Generator().manual_seed(options.seed), random.Random(options.seed)
    examples = [finetune.Example(ids, (0.0, 0.0, 0.0)) for ids in posts]
    steps = int(len(examples) * options.epochs / finetune.BATCH)
    optim = finetune.optimiser(model, options.rate, options.rate, 1.0)
    optim.add_param_group({"params": list(head.parameters()), "lr": 5 * options.rate, "weight_decay": 0.01})
    rates = torch.optim.lr_scheduler.LambdaLR(optim, lambda step: finetune.schedule(step, steps))
    model.train()
    step, started, recent = 0, time.monotonic(), 0.0
    while step < steps:
        for batch in finetune.batches(examples, chance):
            ids, mask, _ = finetune.tensors(batch)
            given, asked = hidden(ids, used, generator)
            if step >= steps or not asked.any():
                break
            with torch.autocast("cpu", torch.bfloat16):
                states = model.bert(input_ids=given, attention_mask=mask).last_hidden_state[asked]
                logits = head(states).float()
            truth = torch.tensor([column[int(piece)] for piece in ids[asked]])
            loss = nn.functional.cross_entropy(logits, truth)
            loss.backward()
            nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], 1.0)
            optim.step()
            optim.zero_grad()
            rates.step()
            step += 1
            recent = 0.98 * recent + 0.02 * float(loss.item()) if step > 1 else float(loss.item())
            if step % 100 == 0:
                speed = step * finetune.BATCH / (time.monotonic() - started)
                print(f"step {step}/{steps} loss {recent:.3f} {speed:.0f} posts/s", flush=True)
                if step % 500 == 0:
                    finetune.save(model, options.out)


def pieces(tokenizer: Tokenizer, posts: Sequence[str]) -> list[list[int]]:
    """Return the token ids of each post that is long enough."""
    found = (encoding.ids[:_LONGEST] for encoding in tokenizer.encode_batch(list(posts)))
    return [ids for ids in found if len(ids) >= _SHORTEST]


def main() -> None:
    """Read the options and train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--init", type=Path)
    parser.add_argument("--posts", type=Path, nargs="+", required=True)
    parser.add_argument("--without", type=Path, nargs="*", default=[])
    parser.add_argument("--epochs", type=float, default=1.0)
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    tokenizer = e5.tokenizer(e5.read(e5.installed()).pieces, finetune.LONGEST)
    posts = pieces(tokenizer, posts_of(options.posts, options.without))
    used = torch.tensor(sorted({piece for ids in posts for piece in ids if piece >= _SPECIAL}))
    print(f"{len(posts)} posts, {len(used)} pieces", flush=True)
    model = joint.build(options.init, 0.1)
    head = WordHead(model.bert.embeddings.word_embeddings.weight.detach(), used)
    train(model, head, used, posts, options)
    finetune.save(model, options.out)


if __name__ == "__main__":
    main()
