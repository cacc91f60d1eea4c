"""A migrated database for another server: a copy costs a tenth of migrating it anew."""

import os
import subprocess
from pathlib import Path

from django.db import connection

from sumok8.embedded_postgres import DATABASE, EmbeddedPostgres, installed_binaries


def dump(path: Path) -> Path:
    """This process's own."""
    told = connection.settings_dict
    way = {"PGHOST": told["HOST"], "PGPORT": told["PORT"], "PGUSER": told["USER"], "PGPASSWORD": told["PASSWORD"]}
    command = [installed_binaries() / "bin" / "pg_dump", "-d", told["NAME"], "-f", path]
    subprocess.run(command, check=True, env=os.environ | {name: str(value) for name, value in way.items()})
    return path


def restore(server: EmbeddedPostgres, dumped: Path) -> None:
    psql = [server.install / "bin" / "psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", dumped]
    where = ["-h", server.socket_dir, "-U", "postgres", "-d", DATABASE]
    subprocess.run([*psql, *where], check=True, stdout=subprocess.DEVNULL)
