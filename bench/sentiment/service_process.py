"""Run by ``processes``: sentiment-service on a free port; prints where, and serves until it is killed."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import uvloop

from castor_chassis.observability.logging import configure_logging
from castor_chassis.testing import TokenIssuer, run_service, tls_settings
from castor_chassis.tls import TlsFiles
from sentiment_service.app import create_app
from sentiment_service.settings import SentimentSettings


async def serve(certificate: str, key: str, authorities: str, given: str) -> None:
    """Serve with the settings ``given`` as JSON."""
    files, issuer = TlsFiles(Path(certificate), Path(key), Path(authorities)), TokenIssuer()
    settings = SentimentSettings(**{**tls_settings(files), "max_concurrent_requests": 512, **json.loads(given)})
    async with run_service(create_app(settings, keys=issuer), settings) as service:
        await service.ready(120)
        where = {"url": service.url, "token": issuer.user_token(["sentiment:analyze"])}
        os.write(_ANSWERS, json.dumps(where).encode() + b"\n")
        await asyncio.Event().wait()


if __name__ == "__main__":
    _ANSWERS = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the access log is written for real, to nowhere
    configure_logging("sentiment-service", "INFO")
    uvloop.run(serve(*sys.argv[1:]))
