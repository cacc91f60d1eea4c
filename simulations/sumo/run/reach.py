"""Can a pod reach the control plane? `python -m simulations.sumo.run.reach URL` tells in one line of JSON.

Written where a runner writes its termination message too, so that whoever started the pod reads it from there.
"""

import http.client
import json
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from simulations.sumo.run.transport import CONNECT_TIMEOUT_S, words_of


def look(url: str) -> dict[str, object]:
    """`addresses` of the name, the `status` of its answer, and the `problem` in words if there is none."""
    parts = urlsplit(url)
    host, https = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if https else 80)
    found: dict[str, object] = {"host": host, "addresses": [], "status": None, "problem": ""}
    try:
        known = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        found["addresses"] = sorted({str(address[4][0]) for address in known})
        kind = http.client.HTTPSConnection if https else http.client.HTTPConnection
        connection = kind(host, port, timeout=CONNECT_TIMEOUT_S)
        try:
            connection.request("GET", "/healthz")
            found["status"] = connection.getresponse().status
        finally:
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        found["problem"] = words_of(error, host)
    return found


def main() -> int:
    found = look(sys.argv[1])
    line = json.dumps(found)
    print(line, flush=True)
    with suppress(OSError, KeyError):
        Path(os.environ["TERMINATION_MESSAGE_PATH"]).write_text(line)
    return 1 if found["problem"] else 0


if __name__ == "__main__":  # pragma: no cover
    sys.exit(main())
