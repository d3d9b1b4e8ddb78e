"""One replica in a process of its own, to be killed: ``python replica.py SETTINGS`` prints its URL and a token."""

from __future__ import annotations

import asyncio
import json
import sys

from castor_chassis.service.server import ServicePair
from castor_chassis.testing import TokenIssuer
from trending_service.app import create_app
from trending_service.settings import TrendingSettings


async def main(given: str) -> None:
    """Serve until the end."""
    issuer = TokenIssuer()
    settings = TrendingSettings(**json.loads(given))
    pair = ServicePair(create_app(settings, keys=issuer), settings)
    serving = asyncio.ensure_future(pair.run())
    await pair.started()
    place = {"url": f"https://127.0.0.1:{pair.api.port}", "token": issuer.user_token(["trends:read"])}
    print("place " + json.dumps(place), flush=True)
    await serving


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
