"""`castor demo`: the main job, from a file of tweets to forecasts and a cited answer.

Every call goes through the ingress with a user token, over the public API.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from castor_devstack.errors import DevstackError
from castor_devstack.job import report as reporting
from castor_devstack.job.ingress_client import IngressClient
from castor_devstack.job.source import source_of
from castor_devstack.job.steps import Job
from castor_devstack.job.tokens import access_token
from castor_devstack.job.traced_client import TracedClient
from castor_devstack.lifecycle.background import ensure_running
from castor_devstack.supervision.state_folder import find_state_folder


def run(file: Path | None, report: Path | None, question: str | None) -> int:
    """Run the main job on ``file`` (default: the sample), print the result, write it to ``report``; return 0."""
    source = source_of(file)
    began = time.monotonic()
    state_folder = find_state_folder()
    ensure_running(state_folder, print)
    up_seconds = time.monotonic() - began
    job = Job(TracedClient(IngressClient.of(state_folder), lambda: access_token(state_folder)), reporting.Progress())
    job.timings["up"] = round(up_seconds, 2)
    result = job.main(source, question)
    if report is not None:
        _write(report, result)
    reporting.show(result, job.context(report))
    return 0


def _write(report: Path, result: dict[str, Any]) -> None:
    try:
        report.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n")
    except OSError as error:
        raise DevstackError(f"The report {report} cannot be written: {error}.", exit_code=2) from error
