"""`python -m sumok8.web`: the web as it is served everywhere: nginx on BIND, behind it gunicorn on a socket of its own.

Either ending ends the other: whoever started this starts it again. SIGTERM and SIGINT end it in order: nginx takes
nothing new and sees what it has to its end, then gunicorn goes.
"""

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import FrameType

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
BIND = "127.0.0.1:8000"  # nothing listens beyond loopback unless asked


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sumok8.settings")
    with tempfile.TemporaryDirectory(prefix="sumok8-web-") as folder:
        return serve(Path(folder), os.environ.get("BIND", BIND))


def serve(folder: Path, bind: str) -> int:
    """Until both have ended. 0 if that was asked for, else 1."""
    from sumok8 import proxy  # reads the settings

    socket = folder / "gunicorn.socket"
    try:
        front = proxy.command(folder, bind=bind, socket=socket)
    except proxy.NginxMissing as missing:
        sys.stderr.write(f"{missing}\n")
        return 1
    # Whichever worker answers /metrics answers for all of them; prometheus_client reads this as workers import it.
    counts = folder / "metrics"
    counts.mkdir()
    environment = os.environ | {"BIND": f"unix:{socket}", "PROMETHEUS_MULTIPROC_DIR": str(counts)}
    nginx = subprocess.Popen(front, stdin=subprocess.DEVNULL, preexec_fn=_end_with_parent)
    gunicorn = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", "python:sumok8.gunicorn_conf", "sumok8.wsgi"],
        env=environment,
        stdin=subprocess.DEVNULL,
    )
    asked = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        asked = True
        nginx.send_signal(signal.SIGQUIT)
        gunicorn.send_signal(signal.SIGUSR1)  # logs that are followed end with a word, else nginx waits for them

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    running = {nginx.pid, gunicorn.pid}
    while running:
        ended, _ = os.wait()
        running.discard(ended)
        if ended in {nginx.pid, gunicorn.pid}:
            for pid in running:
                os.kill(pid, signal.SIGTERM)
    return int(not asked)


def _end_with_parent() -> None:
    """In the child: even if this process is killed nginx does not keep the port. Where the system can do so."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main())
