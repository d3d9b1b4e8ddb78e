"""Two ports, liveness apart from readiness, and a shutdown that loses nothing."""

from __future__ import annotations

import asyncio
import signal

from castor_chassis.client.transport import httpx
from castor_chassis.testing import until
from castor_chassis.tls import TlsFiles
from castor_devstack.stack.ports import PortLeases
from small_service import Running
from small_service.process import Process


async def test_management_port_is_plain_and_serves_three_paths_only(running: Running) -> None:
    """Health and metrics need no certificate; nothing else is there, and no health on the API port."""
    async with running() as service, httpx.AsyncClient(trust_env=False) as plain:
        for path in ("/health/live", "/health/ready", "/metrics"):
            assert (await plain.get(service.management_url + path)).status_code == 200
        assert (await plain.get(service.management_url + "/v1/small/slow")).status_code == 404
        assert (await service.client.get("/health/live")).status_code == 404


async def test_live_while_not_ready(running: Running) -> None:
    """A closed gate keeps the service not ready and names the reason, while it stays live."""
    async with running() as service, httpx.AsyncClient(base_url=service.management_url, trust_env=False) as plain:
        gate = service.pair.chassis.health.gate("model")
        waiting = await plain.get("/health/ready")
        gate.fail("model.npz is missing; run the export")
        failed = await plain.get("/health/ready")
        live = await plain.get("/health/live")
        gate.open()
        ready = await plain.get("/health/ready")
    assert (waiting.status_code, failed.status_code, live.status_code, ready.status_code) == (503, 503, 200, 200)
    assert failed.json()["checks"]["model"] == "model.npz is missing; run the export"


async def test_readiness_says_what_is_configured(running: Running) -> None:
    """Each setting that may be left out is named, set or not, without its value."""
    url = "redis://:s3cret@127.0.0.1:9"
    async with running(redis_url=url) as service, httpx.AsyncClient(trust_env=False) as plain:
        answer = await plain.get(service.management_url + "/health/ready")
    said = answer.json()["configured"]
    assert (said["redis_url"], said["otel_exporter_otlp_endpoint"]) == (True, False)
    assert "s3cret" not in answer.text


async def test_metrics_name_route_templates(running: Running) -> None:
    """Paths with identifiers are one label, unknown paths are one label."""
    async with running() as service, httpx.AsyncClient(trust_env=False) as plain:
        await service.client.get("/v1/small/echo/an-identifier")
        await service.client.get("/wp-admin/secret")
        metrics = (await plain.get(service.management_url + "/metrics")).text
    assert 'route="/v1/small/echo/{name}",status="401"' in metrics
    assert 'route="unmatched",status="404"' in metrics
    assert "an-identifier" not in metrics
    assert "wp-admin" not in metrics


async def test_sigterm_under_load_loses_no_request(files: TlsFiles, caller: TlsFiles, test_ports: PortLeases) -> None:
    """While the service drains, every request that was sent is answered, long ones too, and it exits 0."""
    service = Process(files, test_ports, DRAIN_DELAY_SECONDS="4")
    process = await service.start()
    client = httpx.AsyncClient(
        base_url=f"https://127.0.0.1:{service.api}", verify=caller.client_context(), trust_env=False, timeout=30
    )
    outcomes: list[int] = []
    closing = 0
    routed = True

    async def load() -> None:
        nonlocal closing
        while routed:
            answer = await client.get("/v1/small/slow?seconds=0.01")
            outcomes.append(answer.status_code)
            closing += answer.headers.get("connection") == "close"

    async def all_under_way() -> bool:
        return len(outcomes) >= 8

    async def balancer() -> None:
        # A load balancer takes a service out some time after it says that it is not ready.
        nonlocal routed
        while await service.ready():
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.4)
        routed = False

    async with client:
        long_ones = [asyncio.ensure_future(client.get("/v1/small/slow?seconds=5")) for _ in range(3)]
        loaders = [asyncio.ensure_future(load()) for _ in range(8)]
        await until(all_under_way)
        process.send_signal(signal.SIGTERM)
        await balancer()
        await asyncio.gather(*loaders)
        finished = [answer.status_code for answer in await asyncio.gather(*long_ones)]
        code = await asyncio.wait_for(process.wait(), 60)
    assert code == 0
    assert finished == [200, 200, 200]
    assert set(outcomes) == {200}
    assert closing > 0
