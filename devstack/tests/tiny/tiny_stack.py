"""Runs the real devstack, PostgreSQL, Valkey, certificates and Caddy included, with fewer services.

By default two tiny ones; with --real the named ones as they are.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

from castor_devstack.errors import DevstackError
from castor_devstack.lifecycle.terminal import ProgressPipe
from castor_devstack.lifecycle.up import StackOptions, run_stack
from castor_devstack.stack.services import PREFERRED_PORTS, service_named
from castor_devstack.supervision.state_folder import find_state_folder

TINY = [
    replace(service_named(name), package="tiny_service", database=False)
    for name in ("auth-service", "sentiment-service")
]


def main() -> None:
    """Stay until a signal, on free ports, with the state in CASTOR_HOME."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--progress-fd", type=int, required=True)
    parser.add_argument("--real", nargs="+", default=[])
    arguments = parser.parse_args()
    progress = ProgressPipe(arguments.progress_fd)
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)
    services = [service_named(name) for name in arguments.real] or TINY
    options = StackOptions(services, dict.fromkeys(PREFERRED_PORTS, 0), durable=False)
    try:
        run_stack(find_state_folder(), progress.print_line, progress.close, options)
    except DevstackError as error:
        progress.print_line(str(error))
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
