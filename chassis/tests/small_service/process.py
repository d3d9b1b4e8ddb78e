"""The small service as a process of its own."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

from castor_chassis.client.transport import httpx
from castor_chassis.tls import TlsFiles
from castor_devstack.stack.ports import PortLeases


class Process:
    """The small service as a process of its own."""

    def __init__(self, files: TlsFiles, ports: PortLeases, **settings: str) -> None:
        self.api, self.management = ports.choose({"api": 0, "management": 0}).values()
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[1]),
            "TLS_CERT_FILE": str(files.certificate),
            "TLS_KEY_FILE": str(files.key),
            "TLS_CA_FILE": str(files.authorities),
            "API_PORT": str(self.api),
            "MANAGEMENT_PORT": str(self.management),
            **settings,
        }

    async def start(self) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "small_service", env=self.environment, stdout=asyncio.subprocess.DEVNULL
        )
        end = time.monotonic() + 30
        while not await self.ready():
            assert time.monotonic() < end, "the process did not become ready"
            await asyncio.sleep(0.05)
        return process

    async def ready(self) -> bool:
        async with httpx.AsyncClient(trust_env=False) as plain:
            try:
                return (await plain.get(f"http://127.0.0.1:{self.management}/health/ready")).status_code == 200
            except httpx.TransportError:
                return False
