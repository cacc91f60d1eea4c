"""Ports for what tests start. One that the system offers is anybody's again until the program has it: another test's,
or the near end of some connection. These are of a part that the system offers nobody, and each process has its own."""

import itertools
import os
import socket

FIRST, EACH = 20_000, 1_500
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_ports = itertools.cycle(range(FIRST + _worker * EACH, FIRST + (_worker + 1) * EACH))


def free_port() -> int:
    """On 127.0.0.1; given to nobody else for a long while."""
    for port in _ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("unreachable")
