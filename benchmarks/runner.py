"""SUMO alone against the same run through the runner, on the sample scenario: CPU and wall time."""

import hashlib
import http.server
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

from benchmarks.stack import ROOT

SAMPLE = ROOT / "simulations" / "samples" / "midtown_peak.zip"
RUNS = 3


class ControlPlane(http.server.BaseHTTPRequestHandler):
    """Gives the scenario and takes whatever is delivered."""

    def do_GET(self) -> None:
        body = SAMPLE.read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_PUT

    def log_message(self, *arguments: Any) -> None:
        """Silent."""


def measure() -> list[dict[str, Any]]:
    """The two in turn, RUNS times; the row shows each one's least CPU and the ratios of the least."""
    import sumo

    home = Path(sumo.SUMO_HOME)
    sumo_env = {"SUMO_HOME": str(home), "PROJ_LIB": str(home / "data" / "proj"), "PATH": os.environ["PATH"]}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), ControlPlane)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    alone, through = [], []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as folder:
            alone.append(_alone(Path(folder), home, sumo_env))
        with tempfile.TemporaryDirectory() as folder:
            through.append(_through(Path(folder), home, sumo_env, server.server_address[1]))
    server.shutdown()
    rows = []
    for name, figures in (("SUMO alone", alone), ("through the runner", through)):
        cpu, wall = min(cpu for cpu, _ in figures), min(wall for _, wall in figures)
        rows.append({"run": name, "cpu s": cpu, "wall s": wall})
    rows.append({"run": "ratio", **{key: rows[1][key] / rows[0][key] for key in ("cpu s", "wall s")}})
    return rows


def _timed(command: list[str], environment: dict[str, str], cwd: Path) -> tuple[float, float]:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, env=environment, cwd=cwd, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.perf_counter() - began


def _alone(folder: Path, home: Path, environment: dict[str, str]) -> tuple[float, float]:
    """With the outputs that the runner always asks for: they are the product, not its overhead."""
    with zipfile.ZipFile(SAMPLE) as archive:
        archive.extractall(folder)
    config = next(folder.rglob("*.sumocfg"))
    outputs = ["--tripinfo-output", "t.xml", "--summary-output", "s.xml", "--statistic-output", "st.xml"]
    options = ["-c", config.name, "--seed", "1", "--no-step-log", "--summary-output.period", "60", *outputs]
    return _timed([str(home / "bin" / "sumo"), *options], environment, config.parent)


def _through(folder: Path, home: Path, environment: dict[str, str], port: int) -> tuple[float, float]:
    job = {
        "v": 1, "job_id": "00000000-0000-4000-8000-000000000000", "attempt": 1,
        "scenario": {
            "scenario_id": "sample", "version": 1, "config": None,
            "sha256": hashlib.sha256(SAMPLE.read_bytes()).hexdigest(),
        },
        "seed": 1, "begin": None, "end": None, "step_length": None, "scale": None, "options": {}, "outputs": [],
        "emissions": False, "summary_period_s": 60, "progress_s": 5,
        "limits": {
            "wall_s": 3600, "output_bytes": 2**31, "unpacked_bytes": 2**32, "files": 5000,
        },
    }  # fmt: skip
    (folder / "work").mkdir()
    pod = {
        "SCENARIO_ID": "sample", "JOB_ID": str(job["job_id"]), "SUMOK8_JOB": json.dumps(job), "SUMOK8_TOKEN": "none",
        "SUMOK8_URL": f"http://127.0.0.1:{port}", "WORK_DIR": str(folder / "work"), "TMPDIR": str(folder),
        "TERMINATION_MESSAGE_PATH": str(folder / "message"), "SUMO_BINARY": str(home / "bin" / "sumo"),
        "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    return _timed([sys.executable, "-m", "simulations.sumo"], environment | pod, folder)
