"""A service of a hundred lines: the same command line, ports and settings as the real ones, starts in no time.

It answers every request with what it saw, so that tests can look at the ingress from behind.
"""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Management(BaseHTTPRequestHandler):
    """Ready as soon as it listens."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer health questions."""
        _answer(self, 200 if self.path == "/health/ready" else 404, {"status": "ready", "checks": {}})

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing: it is asked often."""


class Api(BaseHTTPRequestHandler):
    """Tells what came in."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with the request; a path that ends in ``child`` leaves a program of ours running."""
        seen = self._seen()
        if self.path.endswith("/child"):
            seen["child"] = subprocess.Popen(["sleep", "600"]).pid
        _answer(self, 200, seen, {"X-Request-ID": self.headers.get("X-Request-ID", "")})

    def do_POST(self) -> None:
        """Answer with the request."""
        self.do_GET()

    def _seen(self) -> dict[str, object]:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        names = self.connection.getpeercert()["subjectAltName"]
        return {
            "service": os.environ["API_PORT"],
            "path": self.path,
            "peer": [value for kind, value in names if kind == "URI"],
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "bytes": len(body),
        }


class TlsServer(ThreadingHTTPServer):
    """Demands a client certificate, as every CASTOR service does."""

    def get_request(self) -> tuple[ssl.SSLSocket, object]:
        """Do the handshake."""
        connection, address = self.socket.accept()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_cert_chain(os.environ["TLS_CERT_FILE"], os.environ["TLS_KEY_FILE"])
        context.load_verify_locations(os.environ["TLS_CA_FILE"])
        return context.wrap_socket(connection, server_side=True), address


def _answer(handler: BaseHTTPRequestHandler, status: int, body: object, headers: dict[str, str] | None = None) -> None:
    data = json.dumps(body).encode()
    handler.send_response(status)
    for name, value in {
        "Content-Type": "application/json",
        "Content-Length": str(len(data)),
        **(headers or {}),
    }.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(data)


def main() -> None:
    """Serve, or, told so by TINY_BROKEN, fail."""
    if sys.argv[1] != "serve" or "TINY_BROKEN" in os.environ:
        sys.exit("tiny_service is broken, as it was told")
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    management = ThreadingHTTPServer(("127.0.0.1", int(os.environ["MANAGEMENT_PORT"])), Management)
    threading.Thread(target=management.serve_forever, daemon=True).start()
    TlsServer(("127.0.0.1", int(os.environ["API_PORT"])), Api).serve_forever()


if __name__ == "__main__":
    main()
