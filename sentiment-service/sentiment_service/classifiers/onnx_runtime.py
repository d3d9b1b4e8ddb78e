"""ONNX Runtime on the CPU: sessions, how many processors there are, and how texts are grouped into runs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import onnxruntime as ort

# About what stays in a processor's cache: 5.5 ms of CPU a tweet with 256 tokens a run, 5.7 with 1024 (bundled model).
TOKENS_PER_RUN = 256
_CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def cpu_limit() -> int:
    """Return how many processors this process may keep busy: its affinity, or less where a cgroup says so."""
    allowed = len(os.sched_getaffinity(0))
    try:
        quota, period = _CPU_QUOTA.read_text(encoding="ascii").split()
        return max(1, min(allowed, int(quota) // int(period)))
    except (OSError, ValueError):  # no cgroup, or `max`
        return allowed


def session(model: bytes | Path, threads: int) -> ort.InferenceSession:
    """Return a session of ``threads`` threads that do not spin while they wait: others need the processors.

    ``model`` is the network itself, or its file where the weights are in a second file beside it.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    source = model if isinstance(model, bytes) else str(model)
    return ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def runs(lengths: Sequence[int], budget: int = TOKENS_PER_RUN) -> Iterator[list[int]]:
    """Yield the indexes of each run: texts of one length, at most ``budget`` tokens or one text; short ones first.

    No run is padded: padding costs time and changes the last bits of what shorter texts get.
    """
    of_length: dict[int, list[int]] = {}
    for row, length in enumerate(lengths):
        of_length.setdefault(length, []).append(row)
    for length, rows in sorted(of_length.items()):
        size = max(1, budget // max(1, length))
        yield from (rows[start : start + size] for start in range(0, len(rows), size))
