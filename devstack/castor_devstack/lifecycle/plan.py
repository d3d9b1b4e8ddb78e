"""The plan of the stack: every process and every set-up step, with what each needs first."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from castor_devstack.stack import sandbox
from castor_devstack.stack.caddy import Ingress, Route
from castor_devstack.stack.caddy import environment as caddy_environment
from castor_devstack.stack.credentials import ADMIN_EMAIL, Credentials
from castor_devstack.stack.pki import Authority, Names
from castor_devstack.stack.postgres import EmbeddedPostgres, cluster_folder
from castor_devstack.stack.probes import answers, ingress_answers, listens, pending_checks, service_ready
from castor_devstack.stack.services import AUTH, INGRESS, LOOPBACK, Service, environment
from castor_devstack.stack.valkey import EmbeddedValkey
from castor_devstack.supervision.os_user import postgres_account
from castor_devstack.supervision.pids import MARK, mark
from castor_devstack.supervision.processes import Part, Step, run_once
from castor_devstack.supervision.state_folder import StateFolder

T = TypeVar("T")

PUBLIC = "public"
CERTIFICATES = "certificates"
DATABASES = "databases"
MIGRATIONS = "migrations"


class StackPlan:
    """Builds the parts and steps of one state folder; starts nothing itself."""

    def __init__(
        self,
        state_folder: StateFolder,
        ports: Mapping[str, int],
        services: Sequence[Service],
        *,
        durable: bool = True,
        stubs: Sequence[Service] = (),
    ) -> None:
        self.state_folder = state_folder
        self.ports = ports
        self.services = services
        self.stubs = stubs
        self.credentials = Credentials.load(state_folder.secrets_file)
        account = postgres_account()
        self.postgres = EmbeddedPostgres(
            cluster_folder(state_folder.root, state_folder.instance(), account),
            port=ports["postgres"],
            password=self.credentials.get("postgres"),
            account=account,
            fast=not durable,
        )
        self.valkey = EmbeddedValkey(
            state_folder.folder("valkey"), port=ports["valkey"], password=self.credentials.get("valkey")
        )
        self.authority = Authority(state_folder.pki)

    @property
    def ingress_url(self) -> str:
        """The address of the ingress for users."""
        return f"https://localhost:{self.ports[INGRESS]}"

    def facts(self) -> dict[str, str]:
        """Return addresses and folders for the state file."""
        return {
            "ingress": self.ingress_url,
            "ca": str(self.state_folder.authority_file),
            "postgres": f"{LOOPBACK}:{self.ports['postgres']}",
            "postgres_data": str(self.postgres.data),
            "valkey": f"{LOOPBACK}:{self.ports['valkey']}",
            "stubs": " ".join(stub.name for stub in self.stubs),
        }

    def items(self) -> list[Part | Step]:
        """Return all parts and steps; ``needs`` orders them."""
        return [
            Step(CERTIFICATES, self._certificates),
            self._postgres(),
            self._valkey(),
            Step(DATABASES, self._databases, needs=("postgres",)),
            Step(MIGRATIONS, self.migrate, needs=(DATABASES,)),
            *self._sandbox(),
            *(self._stub(service) for service in self.stubs),
            *(self._service(service) for service in self.services),
            self._ingress(),
        ]

    def renew_certificates(self) -> list[str]:
        """Issue the certificates that are due; return their names. Only Caddy must be restarted to use a new one."""
        names = [INGRESS, *(service.name for service in (*self.services, *self.stubs))]
        identities = [(name, Names.service(name)) for name in names]
        return self.authority.ensure([*identities, (PUBLIC, Names.public_server())])

    async def _certificates(self) -> None:
        self.renew_certificates()

    async def _databases(self) -> None:
        passwords = {
            service.capability: self.credentials.get(f"postgres_{service.capability}")
            for service in self.services
            if service.database
        }
        await asyncio.to_thread(self.postgres.provision, passwords)

    def _postgres(self) -> Part:
        return Part(
            name="postgres",
            command=self.postgres.command(),
            log=self.state_folder.log("postgres"),
            environment=self._marked("postgres", {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}),
            prepare=_in_thread(self.postgres.prepare),
            ready=_in_thread(self.postgres.accepts),
            account=self.postgres.account,
            stop_signal=self.postgres.stop_signal,
            stop_patience_seconds=30,
        )

    def _valkey(self) -> Part:
        return Part(
            name="valkey",
            command=self.valkey.command(),
            log=self.state_folder.log("valkey"),
            environment=self._marked("valkey", {"PATH": "/usr/bin:/bin"}),
            prepare=_in_thread(self.valkey.prepare),
            ready=_in_thread(self.valkey.accepts),
        )

    def _sandbox(self) -> list[Part]:
        if sandbox.PART not in self.ports:
            return []
        port = self.ports[sandbox.PART]
        return [
            Part(
                name=sandbox.PART,
                command=sandbox.command(port),
                log=self.state_folder.log(sandbox.PART),
                environment=self._marked(sandbox.PART, {**os.environ}),
                ready=lambda: answers(port, sandbox.STATISTICS),
            )
        ]

    async def migrate(self) -> None:
        """Bring the databases of the services to the migrations of their sources; raises ``PartFailed``."""
        databases = {service.package: self._database_url(service) for service in self.services if service.database}
        if not databases:
            return
        environment = {**os.environ, "CASTOR_DATABASES": json.dumps(databases)}
        program = Part(
            name=MIGRATIONS,
            command=(sys.executable, "-m", "castor_devstack.lifecycle.migrations"),
            log=self.state_folder.log(MIGRATIONS),
            environment=self._marked(MIGRATIONS, environment),
        )
        await run_once(program)

    def _service(self, service: Service) -> Part:
        management = self.ports[f"{service.name}.management"]
        # A service that calls others as soon as it runs starts after them: failed calls would open its
        # circuit breakers for a minute. All others start together, to use all cores.
        callees = {AUTH, *service.peers} if service.calls_at_once else {stub.name for stub in self.stubs}
        needs = {CERTIFICATES, "valkey", *callees} | ({MIGRATIONS} if service.database else set())
        return Part(
            name=service.name,
            command=(sys.executable, "-m", service.package, "serve"),
            log=self.state_folder.log(service.name),
            environment=self._marked(service.name, self._environment(service)),
            ready=lambda: service_ready(management),
            pending=lambda: pending_checks(management),
            needs=tuple(sorted(needs)),
        )

    def _stub(self, service: Service) -> Part:
        here = {**os.environ, "API_PORT": str(self.ports[service.name]), **self._tls(service)}
        return Part(
            name=service.name,
            command=(sys.executable, "-m", "castor_devstack.stubs", service.name),
            log=self.state_folder.log(service.name),
            environment=self._marked(service.name, here),
            ready=lambda: listens(self.ports[service.name]),
            needs=(CERTIFICATES,),
        )

    def _tls(self, service: Service) -> dict[str, str]:
        leaf = self.authority.leaf(service.name)
        return {
            "TLS_CERT_FILE": str(leaf.certificate),
            "TLS_KEY_FILE": str(leaf.key),
            "TLS_CA_FILE": str(self.state_folder.authority_file),
        }

    def _environment(self, service: Service) -> dict[str, str]:
        own = {name.upper(): self.credentials.get(name) for name in service.secrets}
        if service.name == AUTH:
            own |= {"BOOTSTRAP_ADMIN_EMAIL": ADMIN_EMAIL, "BOOTSTRAP_ADMIN_PASSWORD": self.credentials.get("admin")}
            # On a development machine a registered user may try everything that needs no administrator.
            own |= {"REGISTRATION_ROLE": "analyst", "REGISTRATION": "open", "MFA_REQUIRED_ROLES": "none"}
        if service.name == "twitter-service" and sandbox.PART in self.ports:
            own |= sandbox.settings(self.ports[sandbox.PART])
        return environment(
            service,
            ports=self.ports,
            tls=self._tls(service),
            database_url=self._database_url(service) if service.database else None,
            redis_url=self.valkey.url(service.redis_number),
            own=own,
        )

    def _database_url(self, service: Service) -> str:
        name = service.capability
        return self.postgres.url(name, name, self.credentials.get(f"postgres_{name}"))

    def _ingress(self) -> Part:
        folder = self.state_folder.folder(INGRESS)
        ingress = Ingress(
            folder=folder,
            port=self.ports[INGRESS],
            public=self.authority.leaf(PUBLIC),
            own=self.authority.leaf(INGRESS),
            authority=self.state_folder.authority_file,
            routes=tuple(
                Route(
                    service.capability,
                    service.name,
                    f"{LOOPBACK}:{self.ports[service.name]}",
                    service.uploads,
                    service.well_known,
                )
                for service in self.services
            ),
        )
        return Part(
            name=INGRESS,
            command=ingress.command(),
            log=self.state_folder.log(INGRESS),
            environment=self._marked(INGRESS, caddy_environment(folder)),
            prepare=_in_thread(ingress.prepare),
            ready=lambda: ingress_answers(self.state_folder, self.ports[INGRESS]),
            needs=(CERTIFICATES, *(service.name for service in self.services)),
        )

    def _marked(self, part: str, environment: dict[str, str]) -> dict[str, str]:
        return {**environment, MARK: mark(self.state_folder.root, part)}


def _in_thread(work: Callable[[], T]) -> Callable[[], Awaitable[T]]:
    return lambda: asyncio.to_thread(work)
