"""`castor demo` and `castor report`: the main job, from a file of tweets to forecasts and a cited answer.

Every call goes through the ingress with a user token, over the public API.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from castor_devstack.errors import DevstackError
from castor_devstack.job import report as screen
from castor_devstack.job.doctor import as_lines, examine, is_configured
from castor_devstack.job.html.page import page_of
from castor_devstack.job.ingress_client import IngressClient
from castor_devstack.job.progress import Progress
from castor_devstack.job.request import JobRequest
from castor_devstack.job.source import SAMPLE_DATASET, source_of
from castor_devstack.job.steps import Job
from castor_devstack.job.tokens import access_token
from castor_devstack.job.traced_client import Json, TracedClient
from castor_devstack.lifecycle.background import ensure_running
from castor_devstack.supervision.state import State
from castor_devstack.supervision.state_folder import StateFolder, find_state_folder


@dataclass(frozen=True)
class Outputs:
    """Files that a report is written to; None: not written."""

    json: Path | None
    html: Path | None

    @classmethod
    def beside(cls, path: Path | None) -> Outputs:
        """Return the JSON and the HTML report of one name, whichever of both ``path`` is."""
        if path is None:
            return cls(None, None)
        if path.suffix.lower() in (".html", ".htm"):
            return cls(path.with_suffix(".json"), path)
        return cls(path, path.with_suffix(".html"))

    @property
    def written(self) -> Sequence[Path]:
        """The files that are written, the one to read first."""
        return [path for path in (self.html, self.json) if path]


def run(request: JobRequest, outputs: Outputs) -> int:
    """Run the main job on a file (default: the sample) or a stored data set, print and write the result; return 0."""
    # A data set without a file is reported on as it is stored.
    is_stored = request.file is None and request.dataset is not None
    source = None if is_stored else source_of(request.file)
    began = time.monotonic()
    state_folder = find_state_folder()
    ensure_running(state_folder, print)
    up_seconds = time.monotonic() - began
    client = TracedClient(IngressClient.of(state_folder), lambda: access_token(state_folder))
    job = Job(client, Progress(), request.dataset or SAMPLE_DATASET)
    job.timings["up"] = round(up_seconds, 2)
    result = job.main(source, request)
    _write(result, outputs)
    screen.show(result, screen.Context(client.url, client.trace_id, outputs.written))
    return 0


def examine_running(state_folder: StateFolder, write: Callable[[str], None]) -> bool:
    """Write a line for each capability of the running stack; return whether all that is configured answers."""
    client = TracedClient(IngressClient.of(state_folder), lambda: access_token(state_folder))
    pid = State.read(state_folder).parts.get("openai-service")
    findings = list(examine(client, is_configured(pid.environment() if pid else {})))
    for line in as_lines(findings):
        write(line)
    return all(one.outcome != "fails" for one in findings)


def _write(result: Json, outputs: Outputs) -> None:
    if outputs.json:
        _write_text(outputs.json, json.dumps(result, ensure_ascii=False, indent=2) + "\n")
    if outputs.html:
        _write_text(outputs.html, page_of(result))


def _write_text(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DevstackError(f"The report {path} cannot be written: {error}.", exit_code=2) from error
