"""``python main_job.py URL AUTHORITIES REPORT``: log in as the administrator, run the main job, write its report.

The password is BOOTSTRAP_ADMIN_PASSWORD. It is a program because it runs in the network of the engine, where the
ingress is published on the loopback address.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from castor_devstack.job.ingress_client import IngressClient
from castor_devstack.job.progress import Progress
from castor_devstack.job.request import JobRequest
from castor_devstack.job.source import SAMPLE_DATASET, source_of
from castor_devstack.job.steps import Job
from castor_devstack.job.traced_client import TracedClient
from castor_devstack.stack.credentials import ADMIN_EMAIL


def main(url: str, authorities: str, report: str) -> None:
    """Write the report as JSON."""
    ingress = IngressClient(url, authorities)
    login = {"email": ADMIN_EMAIL, "password": os.environ["BOOTSTRAP_ADMIN_PASSWORD"]}
    token = ingress.call("POST", "/v1/auth/login", login)["tokens"]["access_token"]
    job = Job(TracedClient(ingress, lambda: str(token)), Progress(), SAMPLE_DATASET)
    Path(report).write_text(json.dumps(job.main(source_of(None), JobRequest())))


if __name__ == "__main__":
    main(*sys.argv[1:])
