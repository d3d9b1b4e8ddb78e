"""Average the weights of several runs into one: a model soup (Wortsman et al. 2022).

python training/soup.py --out RUN RUN RUN …        a run named twice counts twice
"""

import argparse
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file


def average(folders: list[Path]) -> dict[str, torch.Tensor]:
    """Return the mean of each tensor over the runs."""
    mean: dict[str, torch.Tensor] = {}
    for folder in folders:
        for name, tensor in load_file(folder / "weights.safetensors").items():
            mean[name] = mean.get(name, torch.zeros_like(tensor)) + tensor / len(folders)
    return mean


def main() -> None:
    """Read the runs, write their mean as a run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    save_file(average(options.runs), options.out / "weights.safetensors")
    shutil.copy(options.runs[0] / "config.json", options.out / "config.json")


if __name__ == "__main__":
    main()
