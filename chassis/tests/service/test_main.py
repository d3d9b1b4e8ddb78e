"""The process: settings that are missing or wrong end it with a sentence."""

from __future__ import annotations

import asyncio
import sys

from castor_chassis.tls import TlsFiles
from castor_devstack.stack.ports import PortLeases
from small_service.process import Process


async def test_without_certificate_settings_it_refuses_to_serve(files: TlsFiles, test_ports: PortLeases) -> None:
    """There is no way to serve the API in plain text; the sentence says what to set."""
    service = Process(files, test_ports, TLS_CERT_FILE="", TLS_KEY_FILE="", TLS_CA_FILE="")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "small_service", env=service.environment, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode != 0
    assert b"set TLS_CERT_FILE" in errors


async def test_wrong_setting_ends_with_one_line_per_problem(files: TlsFiles, test_ports: PortLeases) -> None:
    """A wrong environment is named variable by variable, without a traceback."""
    service = Process(files, test_ports, API_PORT="http", PEER_ATTEMPT_TIMEOUT_SECONDS="99")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "small_service", env=service.environment, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 2
    assert errors.startswith(b"API_PORT: ")
    assert b"Traceback" not in errors
