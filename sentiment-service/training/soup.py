"""Average the weights of several runs into one: a model soup (Wortsman et al. 2022).

    python training/soup.py --out RUN RUN RUN:3 …        a run counts once, or as often as said (`RUN:0.5`)

With the run that the others were trained from among them, the mean lies between what they learned and what it knew
(WiSE-FT, Wortsman et al. 2022). A head of three rows beside heads of six is taken twice, as `joint.py` does.
"""

import argparse
import shutil
from pathlib import Path

import torch
from joint import with_six_rows  # type: ignore[import-not-found, unused-ignore]
from safetensors.torch import load_file, save_file


def parsed(written: str) -> tuple[Path, float]:
    """Return the folder and the weight of `RUN` or `RUN:WEIGHT`."""
    folder, _, weight = written.partition(":")
    return Path(folder), float(weight or 1)


def average(runs: list[tuple[Path, float]]) -> dict[str, torch.Tensor]:
    """Return the weighted mean of each tensor over the runs."""
    loaded = [(load_file(folder / "weights.safetensors"), weight) for folder, weight in runs]
    if len({len(tensors["classifier.bias"]) for tensors, _ in loaded}) > 1:
        loaded = [(with_six_rows(tensors), weight) for tensors, weight in loaded]
    total = sum(weight for _, weight in loaded)
    mean: dict[str, torch.Tensor] = {}
    for tensors, weight in loaded:
        for name, tensor in tensors.items():
            mean[name] = mean.get(name, torch.zeros_like(tensor)) + tensor * (weight / total)
    return mean


def main() -> None:
    """Read the runs, write their mean as a run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=parsed, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    save_file(average(options.runs), options.out / "weights.safetensors")
    shutil.copy(options.runs[0][0] / "config.json", options.out / "config.json")


if __name__ == "__main__":
    main()
