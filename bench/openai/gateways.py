"""Starts what is compared: openai-service with its database, and LiteLLM's proxy."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.openai.processes import MASTER_KEY, MODEL, PRICE, Contestant, child, end
from bench.stores import postgres_server, url_in
from castor_chassis.storage.migrations import migrate
from castor_chassis.testing import tls_settings
from castor_chassis.tls import TlsFiles

LITELLM = "LiteLLM"


_CONFIG = """
model_list:
  - model_name: {model}
    litellm_params:
      model: openai/{model}
      api_base: {upstream}
      api_key: sk-upstream
      input_cost_per_token: {prompt}
      output_cost_per_token: {completion}
router_settings:
  num_retries: 0
  provider_budget_config:
    openai: {{budget_limit: {budget}, time_period: 30d}}
general_settings: {{master_key: {key}}}
litellm_settings: {{telemetry: false}}
"""


@contextmanager
def database() -> Iterator[str]:
    """Yield the URL of a migrated database on a PostgreSQL of its own, durable as in production."""
    with postgres_server() as server:
        url = url_in(server)
        asyncio.run(migrate(url, "openai_service"))
        yield url


@contextmanager
def litellm(upstream: str, budget_usd: float) -> Iterator[Contestant]:
    """Run LiteLLM's proxy, installed for this alone."""
    port = _free_port()
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        prompt, completion = (f"{price / 1e6:.10f}" for price in PRICE)
        budget = f"{budget_usd:.9f}"
        file.write(
            _CONFIG.format(
                model=MODEL, upstream=upstream, prompt=prompt, completion=completion, budget=budget, key=MASTER_KEY
            )
        )
        file.flush()
        uv = Path(sys.executable).with_name("uv")
        command = [
            str(uv), "run", "--isolated", "--no-project", "--quiet", "--with", "litellm[proxy]",
            "litellm", "--config", file.name, "--host", "127.0.0.1", "--port", str(port), "--num_workers", "1",
        ]  # fmt: skip
        environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
        try:
            url = f"http://127.0.0.1:{port}"
            _until_alive(f"{url}/health/liveliness", process)
            yield Contestant(LITELLM, url, MASTER_KEY, process)
        finally:
            end(process)


@contextmanager
def ours(
    name: str, upstream: str, budget_usd: float, database_url: str, files: TlsFiles | None
) -> Iterator[Contestant]:
    """Run one openai-service."""
    given = {
        **(tls_settings(files) if files else {"api_port": 0, "management_port": 0, "drain_delay_seconds": 0}),
        "database_url": database_url,
        "openai_base_url": upstream,
        "openai_api_key": "sk-upstream",
        "budgets": {"total": budget_usd},
        "price_table": {MODEL: PRICE},
        "chat_cache_seconds": 0,
        "peer_max_connections": 1000,
        "max_concurrent_requests": 2000,
    }
    with child("ours", given) as (place, process):
        context = files.client_context() if files else None
        yield Contestant(name, place["url"], place["token"], process, "/v1/openai/chat/completions", {"ssl": context})


def _free_port() -> int:
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _until_alive(url: str, process: subprocess.Popen[bytes], seconds: float = 180) -> None:
    ends = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            if process.poll() is not None or time.monotonic() > ends:
                raise
            time.sleep(0.5)
