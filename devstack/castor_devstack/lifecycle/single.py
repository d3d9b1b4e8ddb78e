"""`castor run SERVICE`: one service with what it needs, in the foreground, its log on the screen."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from castor_devstack.lifecycle.logs import follow_log
from castor_devstack.lifecycle.up import StackOptions, run_stack
from castor_devstack.stack.services import AUTH, SERVICES, Service, service_named
from castor_devstack.supervision.state_folder import StateFolder
from castor_devstack.supervision.supervisor import PrintLine


def needed(service: Service) -> list[Service]:
    """Return auth-service, the service, and all services that it calls, in the order of the table."""
    names, open_ones = {AUTH, service.name}, [*service.peers]
    while open_ones:
        name = open_ones.pop()
        if name not in names:
            names.add(name)
            open_ones += service_named(name).peers
    return [each for each in SERVICES if each.name in names]


def options_for(service: Service, *, reload: bool, stub_peers: bool) -> StackOptions:
    """Return what to run: auth-service is real in any case, because it issues the tokens."""
    if not stub_peers:
        return StackOptions(needed(service), reload=reload)
    stubs = [service_named(name) for name in service.peers]
    own = [each for each in SERVICES if each.name in (AUTH, service.name)]
    return StackOptions(own, reload=reload, stubs=stubs)


def run_single(
    state_folder: StateFolder, service: Service, print_line: PrintLine, *, reload: bool, stub_peers: bool
) -> None:
    """Run one service until Ctrl-C; raises ``DevstackError`` when it does not start, or the whole stack runs."""
    options = options_for(service, reload=reload, stub_peers=stub_peers)
    _say(options.stubs, print_line)

    def on_ready() -> None:
        log = state_folder.log(service.name)
        following = {"follow": True, "write": print_line}
        threading.Thread(target=follow_log, args=(log, 0), kwargs=following, daemon=True).start()

    run_stack(state_folder, print_line, on_ready, options)


def _say(stubs: Sequence[Service], print_line: PrintLine) -> None:
    if stubs:
        print_line(f"Stubs answer with examples of the contract in place of {', '.join(each.name for each in stubs)}.")
