"""A sentiment-service in a process of its own, to be killed: prints its URL and a token, and serves until it dies."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from castor_chassis.testing import TokenIssuer, run_service, tls_settings
from castor_chassis.tls import TlsFiles
from sentiment_service.app import create_app
from sentiment_service.settings import SentimentSettings


async def serve(certificate: str, key: str, authorities: str, given: str) -> None:
    """Serve with the settings ``given`` as JSON."""
    files, issuer = TlsFiles(Path(certificate), Path(key), Path(authorities)), TokenIssuer()
    settings = SentimentSettings(**{**tls_settings(files), **json.loads(given)})
    async with run_service(create_app(settings, keys=issuer), settings) as service:
        await service.ready(90)
        print(json.dumps({"url": service.url, "token": issuer.user_token(["sentiment:analyze"])}), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
