"""`make demo`: the whole product on one machine, then one real simulation through its REST API.

Every process is the one that production runs; only DATABASE_URL and KUBE_CONFIG_PATH point at embedded parts.
"""

import argparse
import contextlib
import fcntl
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from client import ApiProblem, Client
from client.text import results_table, show
from sumok8.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError
from sumok8.processes import STOPPING, Processes

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "simulations" / "samples" / "midtown_peak.zip"
TENANT, SCENARIO = "city-a", "midtown_peak"


class DemoError(Exception):
    """The demo cannot go on; the message says what to do."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the results; exit 0 only if the run succeeded")
    parser.add_argument("--port", type=int, help="fail if it is taken; without it the next free port from 8000 is used")
    parser.add_argument("--data", type=Path, default=ROOT / "var" / "demo", help="where everything is kept")
    options = parser.parse_args()
    for number in STOPPING:  # a shell starts background programs with SIGINT ignored
        signal.signal(number, _interrupt)
    try:
        with _only_one(options.data):
            Processes(options.data, cwd=ROOT).end_leftovers()  # before the port is probed: they may hold it
            return Demo(options.data, _port(options.port)).run(once=options.once)
    except (DemoError, EmbeddedPostgresError, ApiProblem) as problem:
        print(f"\nThe demo stopped: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.")
        return 130 if options.once else 0


def _interrupt(signum: int, frame: FrameType | None) -> None:
    _ignore_signals()  # before anything else: a second one must not leave half of it running
    raise KeyboardInterrupt


def _ignore_signals() -> None:
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)


@contextlib.contextmanager
def _only_one(data: Path) -> Iterator[None]:
    data.mkdir(parents=True, exist_ok=True)
    with (data / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError(f"a demo already runs on {data}; stop it first, or give another folder") from None
        yield


def _port(wanted: int | None) -> int:
    for port in [wanted] if wanted else range(8000, 8050):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except (OSError, OverflowError):
                continue
            return port
    raise DemoError(
        f"port {wanted} is in use or cannot be used; choose another with PORT=…"
        if wanted
        else "ports 8000 to 8049 are in use"
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Demo:
    """One run of the demo on the data in `data`."""

    def __init__(self, data: Path, port: int) -> None:
        self.data, self.port = data, port
        self.url = f"http://127.0.0.1:{port}"
        self.probes = f"127.0.0.1:{_free_port()}"
        self.postgres = EmbeddedPostgres(data / "postgres")
        self.env_file = data / "env"
        self.key_file = data / f"{TENANT}.key"
        self.processes = Processes(data, cwd=ROOT)

    def run(self, *, once: bool) -> int:
        try:
            self._say("PostgreSQL")
            self.environment = self._environment(self.postgres.start())
            self.processes.environment = self.environment
            self._manage("migrate", "--verbosity=0")
            self._manage("collectstatic", "--noinput", "--verbosity=0")
            self._start_services()
            if self.key_file.exists():  # an earlier version's demo may have left objects that name no installation
                self._manage("adopt_cluster")
            self._make_admin()
            self._make_tenant()
            succeeded = self._simulate()
            if once:
                return 0 if succeeded else 1
            self._say_how_to_go_on()
            print("\nServing until Ctrl-C.", flush=True)
            self.processes.keep_running(self._keep_postgres)
            return 0
        finally:
            self._stop()

    def _stop(self) -> None:
        """All of it, whatever comes meanwhile."""
        try:
            _ignore_signals()
            print("Stopping …", flush=True)
        finally:
            try:
                self.processes.stop()
            finally:
                self.postgres.stop()

    def _keep_postgres(self) -> None:
        if self.postgres.pid() is None:
            print("PostgreSQL ended; starting it again", flush=True)
            self.postgres.start()

    def _environment(self, database_url: str) -> dict[str, str]:
        """What the services run with; secrets are made at the first start and kept in a file only the user reads."""
        kept: dict[str, str] = {}
        if self.env_file.exists():
            lines = (line.removeprefix("export ") for line in self.env_file.read_text().splitlines())
            kept = dict(line.split("=", 1) for line in lines if "=" in line)
        ours = {
            "DATABASE_URL": database_url,
            "SECRET_KEY": kept.get("SECRET_KEY", "").strip("'") or secrets.token_urlsafe(48),
            "JOB_TOKEN_KEYS": kept.get("JOB_TOKEN_KEYS", "").strip("'") or secrets.token_urlsafe(48),
            "KUBE_CONFIG_PATH": str(self.data / "kubeconfig"),
            "DATA_DIR": str(self.data),
            "STATIC_ROOT": str(self.data / "static"),
            "RUNNER_URL": self.url,
            "BIND": f"127.0.0.1:{self.port}",
            "PROBE_BIND": self.probes,
            "LOG_LEVEL": os.environ.get("LOG_LEVEL", "INFO"),
        }
        text = "".join(f"export {name}='{value}'\n" for name, value in ours.items())
        _write_private(self.env_file, text)
        return {**os.environ, **ours, "PYTHONUNBUFFERED": "1", "DEBUG": "false"}

    def _start_services(self) -> None:
        manage = [sys.executable, "manage.py"]
        kubeconfig = self.data / "kubeconfig"
        kubeconfig.unlink(missing_ok=True)
        cluster = [
            sys.executable,
            "-m",
            "localcluster",
            "--data",
            str(self.data / "cluster"),
            "--kubeconfig",
            str(kubeconfig),
        ]
        self._say("local cluster")
        self.processes.start("local-cluster", [*cluster, "--autoscale", "--stop-pods"])
        self._wait_for("the local cluster", kubeconfig.exists, "local-cluster")
        self._say("web server")
        self.processes.start("web", [sys.executable, "-m", "sumok8.web"])
        self._say("reconciler")
        self.processes.start("reconciler", [*manage, "reconcile_jobs"])
        self.processes.start("notifier", [*manage, "notify"])
        self._wait_for("the web server", self._is_ready, "web")

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self.probes}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _wait_for(self, what: str, ready: Callable[[], bool], process: str) -> None:
        deadline = time.monotonic() + 60
        while not ready():
            if time.monotonic() > deadline or self.processes.has_ended(process):
                raise DemoError(f"{what} did not start; see {self.processes.log_of(process)}")
            time.sleep(0.1)

    def _make_admin(self) -> None:
        code = "from django.contrib.auth.models import User; print(User.objects.filter(username='admin').exists())"
        if self._manage("shell", "--no-imports", "-c", code).strip().endswith("True"):
            return
        password = secrets.token_urlsafe(9)
        arguments = ["createsuperuser", "--noinput", "--username", "admin", "--email", "admin@localhost"]
        self._manage(*arguments, DJANGO_SUPERUSER_PASSWORD=password)
        print(f"\nAdmin user and password (shown once): admin {password}")

    def _make_tenant(self) -> None:
        if self.key_file.exists():
            return
        self._manage("create_tenant", TENANT, "--no-key")
        issued = json.loads(self._manage("create_api_key", "--tenant", TENANT, "--label", "demo", "--json"))
        _write_private(self.key_file, issued["api_key"])
        print(f"\nTenant {TENANT} and its API key (shown once): {issued['api_key']}\n")

    def _simulate(self) -> bool:
        client = Client(self.url, self.key_file.read_text().strip())
        scenario = client.upload(SCENARIO, SAMPLE)
        print(f"Scenario {SCENARIO}, version {scenario.version}, is uploaded; submitting a simulation of it.\n")
        job = client.run(SCENARIO, outputs=["edges"], labels={"from": "demo"})
        show(job.watch())
        print(f"\nJob {job.id}: {job.status}. {job.message}\n")
        print(results_table(job.kpis))
        self.job_id = job.id
        return job.succeeded

    def _say_how_to_go_on(self) -> None:
        print(f"""
Admin           {self.url}/admin/     (user admin, the password shown at the first start)
Cluster         {self.url}/cluster/
This job        {self.url}/cluster/jobs/{self.job_id}/
API docs        {self.url}/docs

As the tenant:
  curl -H "Authorization: Bearer $(cat {self.key_file})" {self.url}/jobs/{self.job_id}/results
As the operator:
  . {self.env_file} && {sys.executable} manage.py list_tenants
""")

    def _manage(self, *arguments: str, **extra: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env={**self.environment, "LOG_LEVEL": "WARNING", **extra},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise DemoError(f"manage.py {arguments[0]} failed:\n{done.stderr.strip()[-3000:]}")
        return done.stdout

    @staticmethod
    def _say(what: str) -> None:
        print(f"Starting {what} …", flush=True)


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


if __name__ == "__main__":
    sys.exit(main())
