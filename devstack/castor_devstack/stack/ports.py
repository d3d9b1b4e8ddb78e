"""Choosing ports: the preferred one if it is free, else any free one; never one of another devstack."""

from __future__ import annotations

import random
import socket
import sys
from collections.abc import Mapping

from castor_devstack.errors import DevstackError

# Below the kernel's range for outgoing connections, so that none of those takes a port while its
# part restarts.
FALLBACK_PORTS = range(20_000, 32_000)


class PortLeases:
    """The ports of one devstack, held until ``release`` or the end of the process.

    A part binds its port seconds after it was chosen; a second devstack could choose the same one
    meanwhile. So a lease is taken first: a socket in Linux' abstract namespace, which is exclusive
    within the network namespace and disappears with its process.
    """

    def __init__(self, owner: str | None = None) -> None:
        """Make leases for ``owner``, who gets the same ports each time while they are free; random ones for None."""
        self._random = random.Random(owner)
        self._leases: dict[int, socket.socket] = {}

    def choose(self, preferred: Mapping[str, int]) -> dict[str, int]:
        """Return a free port for each name; raises ``DevstackError`` when none is free."""
        return {name: self._choose(port) for name, port in preferred.items()}

    def release(self) -> None:
        """Release all ports."""
        for lease in self._leases.values():
            lease.close()
        self._leases.clear()

    def _choose(self, preferred: int) -> int:
        others = self._random.sample(FALLBACK_PORTS, 200)
        for port in (preferred, *others) if preferred else others:
            if port not in self._leases and is_free(port) and self._lease(port):
                return port
        raise DevstackError(f"No free port was found in place of {preferred}; close some programs.")

    def _lease(self, port: int) -> bool:
        if sys.platform != "linux":
            return True
        lease = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            lease.bind(f"\0castor-devstack-port-{port}")
        except OSError:
            lease.close()
            return False
        self._leases[port] = lease
        return True


def is_free(port: int) -> bool:
    """Return whether a server could bind the port on the loopback addresses."""
    addresses = [(socket.AF_INET, "127.0.0.1")]
    if has_ipv6():
        addresses.append((socket.AF_INET6, "::1"))
    return all(_binds(family, host, port) for family, host in addresses)


def has_ipv6() -> bool:
    """Return whether this machine has an IPv6 loopback address."""
    return socket.has_ipv6 and _binds(socket.AF_INET6, "::1", 0)


def _binds(family: socket.AddressFamily, host: str, port: int) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # Servers set it too; without it a closed connection in TIME_WAIT would look like a taken port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True
