"""The garbage collector does not walk what a service has from its start."""

from __future__ import annotations

import asyncio
import gc

from castor_chassis.service.gc_freeze import freeze_startup
from castor_chassis.service.health import Health


async def test_what_was_loaded_is_frozen_when_all_is_loaded() -> None:
    """What is there at the start is frozen at once, what is loaded when the last gate opens, what comes later never."""
    health = Health()
    gate = health.gate("model")
    try:
        freezing = asyncio.ensure_future(freeze_startup(health, every_seconds=0.01))
        await asyncio.sleep(0)
        at_start = gc.get_freeze_count()
        loaded: list[object] = [[number] for number in range(5000)]
        assert any(one is loaded for one in gc.get_objects())
        gate.open()
        await asyncio.wait_for(freezing, 30)
        later: list[object] = [[]]
        seen = gc.get_objects()
        assert at_start > 1000
        assert gc.get_freeze_count() >= at_start + 5000
        assert not any(one is loaded for one in seen)
        assert any(one is later for one in seen)
    finally:
        gc.unfreeze()
