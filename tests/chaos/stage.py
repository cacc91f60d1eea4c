"""The stage: a PostgreSQL, a local cluster and the faulty way between, all of them real and all of them killable.

No Django here: the database has to be there before settings are read.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from localcluster import kubeconfig, nodes
from localcluster.cluster import start_process
from localcluster.config import Image, LocalClusterConfig, Timing
from sumok8.embedded_postgres import EmbeddedPostgres
from tests import small_disk
from tests.chaos.fates import MAX_ATTEMPTS
from tests.chaos.ledger import Ledger
from tests.chaos.proxy import FaultyProxy
from tests.database_copy import restore
from tests.frozen import stopped_processes, with_children
from tests.localcluster.kube import Kube
from tests.pgbouncer import pgbouncer

PROJECT = Path(__file__).resolve().parents[2]
QUICK = Timing(
    replacement=0.1, create_retry=0.2, create_retry_max=1.0, namespace=0.1, node_grace=0.5, pod_gc=0.2, disk_check=5.0
)
TTL_S = 1
CPUS = 4  # of a cluster that is to be full
DEATH_S = 10  # of what was killed
DATABASE_TIMEOUT_S = 3
DISK_BYTES = 32 * 1024**2
NODES = ("machine-1", "machine-2")  # beside the local cluster's own


class Stage:
    """Everything but the reconcilers. `environment` is what they need to find it."""

    disk: Path | None = None  # where files are kept, if it is one that can be filled

    def __init__(self, folder: Path, *, seed: int, pooled: bool = False, cpus: int = 0) -> None:
        """`pooled`: web and reconcilers reach PostgreSQL through pgbouncer, in transaction mode.

        `cpus`: a cluster of one machine with so many and CAPACITY=nodes, rather than one with room for all.
        """
        self.folder = folder
        self._around = contextlib.ExitStack()
        self.ledger = Ledger(folder / "ledger")
        self.postgres = EmbeddedPostgres(folder / "postgres", durable=False)  # the machine stays up: no fsync needed
        url = self.postgres.start()
        self.sql("ALTER DATABASE sumok8 SET synchronous_commit = on")  # but a killed server loses no commit
        image = Image(
            env={"PATH": os.defpath, "LEDGER": str(self.ledger.path)},
            python=str(PROJECT / "tests/chaos/pod.sh"),
            writable=(str(self.ledger.path),),
        )
        self.config = LocalClusterConfig(
            data=folder / "cluster",
            kubeconfig=folder / "kubeconfig",
            cpu=str(cpus or 10000),
            memory="10000Gi",
            default_image=image,
            timing=QUICK,
        )
        self._cluster = start_process(self.config)
        port = (self.config.data / "port").read_text()
        token = (self.config.data / "token").read_text()
        self.kube = Kube(f"http://127.0.0.1:{port}", token, "")  # past the proxy
        for name in () if cpus else NODES:
            self.add_node(name)
        self.proxy = FaultyProxy(f"127.0.0.1:{port}", seed=seed, log=folder / "faults.jsonl")
        kubeconfig.write(folder / "kubeconfig-proxy", self.proxy.port, token)
        self.environment = {
            **self._database(url, pooled=pooled),
            "KUBE_CONFIG_PATH": str(folder / "kubeconfig-proxy"),
            "DJANGO_SETTINGS_MODULE": "sumok8.settings",
            "DEBUG": "false",
            "SECRET_KEY": "chaos-only-secret-key-chaos-only-secret-key-0123456789",
            "JOB_TOKEN_KEYS": "chaos-only-job-token-key-chaos-only-job-token-key-012345",
            "DATA_DIR": str(self._disk()),
            "DATABASE_TIMEOUT_S": str(DATABASE_TIMEOUT_S),
            "LOG_LEVEL": "WARNING",
            "JOB_TTL_AFTER_CAPTURE_SECONDS": str(TTL_S),
            "NODE_LOST_AFTER_S": "2",
            "MAX_ATTEMPTS": str(MAX_ATTEMPTS),
            "DISPATCH_PER_SECOND": "0",
            "CAPACITY": "nodes" if cpus else "off",
        }
        os.environ.update(self.environment)

    def _database(self, url: str, *, pooled: bool) -> dict[str, str]:
        if not pooled:
            return {"DATABASE_URL": url}
        port = self._around.enter_context(pgbouncer(self.folder, str(self.postgres.socket_dir)))
        return {"DATABASE_URL": f"postgresql://postgres@127.0.0.1:{port}/sumok8", "DATABASE_DIRECT_URL": url}

    def _disk(self) -> Path:
        """For scenarios and results: a small one that can be filled, where this user may mount one."""
        folder = self.folder / "data"
        folder.mkdir()
        with contextlib.suppress(small_disk.NotPermitted):
            self._around.enter_context(small_disk.mounted(folder, DISK_BYTES))
            self.disk = folder
        return folder

    def migrate(self, dump: Path | None = None) -> None:
        if dump:
            restore(self.postgres, dump)
            return
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=PROJECT, check=True)

    def sql(self, statement: str) -> None:
        with psycopg.connect(
            host=str(self.postgres.socket_dir), user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement)

    def pid_of(self, victim: str) -> int:
        """Of `cluster` or `postgres`."""
        pid = self._cluster.pid if victim == "cluster" else self.postgres.pid()
        assert pid
        return pid

    def kill(self, victim: str) -> None:
        kill(self.pid_of(victim), victim)
        self.await_death(victim)

    def frozen(self) -> contextlib.AbstractContextManager[None]:
        """PostgreSQL stopped, not gone, for the block."""
        return stopped_processes(with_children(self.pid_of("postgres")))

    def await_death(self, victim: str) -> None:
        if victim == "cluster":
            self._cluster.wait(DEATH_S)
        else:
            until(lambda: self.postgres.pid() is None, "PostgreSQL is dead", DEATH_S)

    def revive(self, victim: str) -> None:
        if victim == "cluster":
            self._cluster = start_process(self.config)
        else:
            self.postgres.start()

    def lose_node(self, name: str) -> None:
        """Its power fails: its processes die, nobody tells."""
        nodes.heartbeat(self.config, name).unlink(missing_ok=True)

    def find_node(self, name: str) -> None:
        nodes.heartbeat(self.config, name).touch()

    def add_node(self, name: str) -> None:
        node = {"apiVersion": "v1", "kind": "Node", **nodes.describe(name, "10000", "10000Gi", {})}
        self.kube.ok("POST", "/api/v1/nodes", node)
        self.kube.ok("PUT", f"/api/v1/nodes/{name}/status", node)

    def jobs(self) -> list[dict[str, Any]]:
        return self.kube.ok("GET", "/apis/batch/v1/jobs")["items"]

    def our_pods(self) -> list[dict[str, Any]]:
        """By name, so that a seeded choice among them means the same."""
        pods = self.kube.ok("GET", "/api/v1/pods")["items"]
        return sorted(pods, key=lambda pod: pod["metadata"]["name"])

    def close(self) -> None:
        self._around.close()
        self.proxy.close()
        self._cluster.terminate()
        self._cluster.wait()
        for entry in self.ledger.living():
            try:
                os.kill(entry.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.ledger.close()
        self.postgres.stop()
        for left in (self.postgres.home, self.postgres.socket_dir):  # they may be outside the folder
            shutil.rmtree(left, ignore_errors=True)


def kill(pid: int, victim: str) -> None:
    """PostgreSQL with its sessions, which are its children; the cluster's children are the pods, which live on."""
    for each in with_children(pid) if victim == "postgres" else [pid]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)


def new_folder() -> tempfile.TemporaryDirectory[str]:
    """A short path, which PostgreSQL's own user may enter."""
    folder = tempfile.TemporaryDirectory(prefix="sumok8-chaos-")
    Path(folder.name).chmod(0o755)
    return folder


def until(look: Callable[[], Any], what: str, seconds: float) -> Any:
    """The first true answer of `look`. Raises TimeoutError naming `what` was waited for."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds} s in vain for: {what}")
        time.sleep(0.05)
    return found
