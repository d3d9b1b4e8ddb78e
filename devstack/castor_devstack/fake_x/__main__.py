"""``python -m castor_devstack.fake_x --port N``: the sandbox of ``castor up --x sandbox``.

It holds invented posts of the last days and goes on writing, so that searches and streams have something to find.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import signal
from datetime import UTC, datetime

from castor_devstack.fake_x.corpus import filled, invented
from castor_devstack.fake_x.server import FakeX

WRITE_SECONDS = 2.0


async def serve(port: int, posts: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, ended.set)
    fake = FakeX(filled(invented(posts)))
    await fake.start(port)
    writing = asyncio.ensure_future(_write(fake))
    print(f"fake X at {fake.url} with {posts} invented posts", flush=True)
    await ended.wait()
    writing.cancel()
    await fake.stop()


async def _write(fake: FakeX) -> None:
    for seed in itertools.count(1000):
        await asyncio.sleep(WRITE_SECONDS)
        (post,) = invented(1, seed=seed)
        fake.stream.publish(**{**post, "at": datetime.now(UTC)})


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="castor_devstack.fake_x", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--posts", type=int, default=5000)
    given = parser.parse_args()
    asyncio.run(serve(given.port, given.posts))


if __name__ == "__main__":
    main()
