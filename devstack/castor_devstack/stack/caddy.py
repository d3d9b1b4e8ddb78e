"""The ingress: Caddy in front of the services, the only public address."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from castor_devstack.stack.binaries import caddy
from castor_devstack.stack.pki import Leaf
from castor_devstack.stack.ports import has_ipv6
from castor_devstack.supervision.atomic_files import write_atomic
from console_service import CADDY_ROUTES, SITE

_ID = "{vars.request_id}"

_SITE = """\
{{
	admin off
	persist_config off
	skip_install_trust
	auto_https disable_redirects
	default_sni localhost
	storage file_system "{storage}"
	grace_period 5s
	servers {{
		protocols h1 h2
		timeouts {{
			read_header 10s
		}}
	}}
	log {{
		output stderr
		format json
	}}
}}

https://:{port} {{
	bind {addresses}
	tls "{certificate}" "{key}"
	log access {{
		output stderr
		format filter {{
			request>headers delete
			request>tls delete
			resp_headers delete
			wrap json
		}}
	}}
	route {{
		tracing {{
			span ingress
		}}
		vars request_id {{http.request.uuid}}
		@acceptable header_regexp id X-Request-Id `^[A-Za-z0-9._:-]{{8,128}}$`
		vars @acceptable request_id {{re.id.0}}
		request_header X-Request-Id {id}
		@hurried header_regexp X-Request-Timeout-Ms `^0*[0-9]{{0,3}}$`
		request_header @hurried X-Request-Timeout-Ms 1000
		# Never server-sent events, which must not wait, nor answers that may hold a secret beside what a caller chose.
		@compressible not path /v1/auth/* /api/v1/auth/*
		encode @compressible zstd gzip {{
			minimum_length 1024
			match {{
				header Content-Type application/json*
				header Content-Type application/x-ndjson*
				header Content-Type text/csv*
			}}
		}}
		log_append request_id {id}
		log_append traceparent {{http.request.header.Traceparent}}
		@between_services path /v1/auth/token /v1/auth/token/* /api/v1/auth/token /api/v1/auth/token/*
		handle @between_services {{
			header X-Request-Id {id}
			header Content-Type application/json
			respond `{not_found}` 404
		}}
		import "{console}"
{routes}
		header X-Request-Id {id}
		header Content-Type application/json
		respond `{not_found}` 404
	}}
	handle_errors {{
		header X-Request-Id {id}
		header Content-Type application/json
		header Retry-After 2
		@late expression `{{err.status_code}} == 504`
		respond @late `{late}` 504
		@absent expression `{{err.status_code}} == 404`
		respond @absent `{not_found}` 404
		respond `{unavailable}` 503
	}}
}}
"""

# The response header may take as long as a long poll and a slow model together; the services have
# deadlines of their own. Idle connections are closed before the service closes them. A body of usual size goes to the
# service once it is complete, so that slow senders occupy nothing but a connection here; uploads pass as they come.
_ROUTE = """\
		@{name} path {paths}
		handle @{name} {{
			uri strip_prefix /api
			reverse_proxy https://{upstream} {{
{buffers}				transport http {{
					tls_server_name {identity}
					tls_trust_pool file "{authority}"
					tls_client_auth "{certificate}" "{key}"
					versions 1.1
					dial_timeout 2s
					response_header_timeout 120s
					keepalive 30s
				}}
			}}
		}}
"""

_BUFFERS = "\t\t\t\trequest_buffers 2MB\n"


@dataclass(frozen=True)
class Route:
    """The upstream of a capability."""

    capability: str
    identity: str
    """Name in the upstream's certificate."""
    upstream: str
    """``host:port`` of its mTLS API."""
    uploads: tuple[str, ...] = ()
    """Paths under the capability whose bodies are files, which are passed on as they come."""
    well_known: tuple[str, ...] = ()
    """Names under ``/.well-known/`` (RFC 8615)."""


@dataclass(frozen=True)
class Ingress:
    """The configuration of Caddy."""

    folder: Path
    port: int
    public: Leaf
    """Certificate that users see."""
    own: Leaf
    """Identity that services see: ``spiffe://castor/ingress``."""
    authority: Path
    routes: tuple[Route, ...]

    def prepare(self) -> None:
        """Write the configuration."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomic(self.folder / "Caddyfile", self.configuration())

    def command(self) -> tuple[str, ...]:
        """Return the command that serves in the foreground."""
        return (str(caddy()), "run", "--adapter", "caddyfile", "--config", str(self.folder / "Caddyfile"))

    def configuration(self) -> str:
        """Return the Caddyfile."""
        capabilities = ", ".join(f"/v1/{route.capability}" for route in self.routes)
        return _SITE.format(
            port=self.port,
            addresses="127.0.0.1 ::1" if has_ipv6() else "127.0.0.1",
            storage=self.folder / "storage",
            certificate=self.public.certificate,
            key=self.public.key,
            id=_ID,
            console=CADDY_ROUTES,
            routes="".join(self._routes()),
            not_found=_failure(
                "not_found", f"Nothing is served at this path; the public paths begin with {capabilities}."
            ),
            unavailable=_failure(
                "unavailable", "The service behind this path is unavailable; retry after the time in Retry-After."
            ),
            late=_failure(
                "deadline_exceeded", "The service behind this path took too long; ask for less, or retry later."
            ),
        )

    def _routes(self) -> Iterable[str]:
        for route in self.routes:
            base = f"/v1/{route.capability}"
            uploads = [f"{base}/{path}" for path in route.uploads]
            if uploads:
                yield self._route(route, f"{route.capability}_uploads", uploads, "")
            if route.well_known:
                yield self._route(route, "well_known", [f"/.well-known/{name}" for name in route.well_known], _BUFFERS)
            yield self._route(route, route.capability, [base, f"{base}/*"], _BUFFERS)

    def _route(self, route: Route, name: str, paths: list[str], buffers: str) -> str:
        return _ROUTE.format(
            name=name,
            paths=" ".join([*paths, *(f"/api{path}" for path in paths)]),
            buffers=buffers,
            identity=route.identity,
            upstream=route.upstream,
            authority=self.authority,
            certificate=self.own.certificate,
            key=self.own.key,
        )


def environment(folder: Path, inherited: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return Caddy's environment: its files in ``folder``, tracing as the ``OTEL_*`` variables ask.

    Without a collector nothing is exported, but trace ids are still made here and passed on.
    """
    own = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    own |= {"CONSOLE_SITE": str(SITE), "CORS_ORIGINS": inherited.get("CORS_ORIGINS", "")}
    tracing = {"OTEL_SERVICE_NAME": "ingress"}
    if inherited.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        share = inherited.get("OTEL_TRACES_SAMPLER_ARG", "0.01")
        tracing |= {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": share}
        tracing |= {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}
    else:
        tracing |= {"OTEL_TRACES_SAMPLER": "parentbased_always_off", "OTEL_TRACES_EXPORTER": "none"}
    return {**inherited, **own, **tracing}


def _failure(code: str, sentence: str) -> str:
    return f'{{"ok":false,"error":"{sentence}","code":"{code}","request_id":"{_ID}"}}'
