"""An embedding server in a process of its own, to be killed: the fast bundled encoder on openai-service's wire."""

from __future__ import annotations

import base64
import subprocess
import sys
import urllib.error
import urllib.request
from time import sleep

import numpy as np
from aiohttp import web

from openai_service.embeddings.static_encoder import StaticEncoder

PATH = "/v1/openai/embeddings"


class Server:
    """Answers embeddings."""

    def __init__(self) -> None:
        self._encoder = StaticEncoder.load()

    async def embed(self, request: web.Request) -> web.Response:
        """Answer POST /v1/openai/embeddings."""
        texts = (await request.json())["input"]
        rows = self._encoder.encode(texts).astype("<f4")
        data = [{"index": at, "embedding": base64.b64encode(row.tobytes()).decode()} for at, row in enumerate(rows)]
        return web.json_response({"object": "list", "model": self._encoder.model, "data": data})


def start(port: int) -> subprocess.Popen[bytes]:
    """Run a server at ``port``; return it once it answers."""
    process = subprocess.Popen([sys.executable, "-m", __spec__.name, str(port)])
    while process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5)
        except urllib.error.HTTPError:
            return process
        except OSError:
            sleep(0.05)
    raise RuntimeError(f"the embedding server ended with {process.returncode} before it answered")


def vectors_of(texts: list[str]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Return what the server answers for ``texts``."""
    return StaticEncoder.load().encode(texts)


if __name__ == "__main__":
    app = web.Application(client_max_size=64 * 1024**2)
    app.router.add_post(PATH, Server().embed)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
