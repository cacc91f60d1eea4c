#!/usr/bin/env python
"""Django's command line for SUMO-K8."""

import contextlib
import getpass
import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import InterfaceError, OperationalError

from sumok8.logs import say
from tenants.acting import acting
from tenants.database import slow_statements_allowed

# These speak to the cluster alone, often from a machine that has neither our database nor our secrets.
CLUSTER_ONLY = {"install_cluster", "uninstall_cluster", "check_cluster"}


def caller() -> str:
    """The operator's name on this machine; in a pod the user may have none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sumok8.settings")
    if sys.argv[1:] and sys.argv[1] in CLUSTER_ONLY:
        for name, unused in (("DATABASE_URL", "postgresql:///"), ("SECRET_KEY", "-"), ("JOB_TOKEN_KEYS", "-")):
            os.environ.setdefault(name, unused)
    # The reconciler has to notice; a person's command may wait as long as the server answers.
    patience = contextlib.nullcontext() if "reconcile_jobs" in sys.argv[1:2] else slow_statements_allowed()
    try:
        with patience, acting(caller, lambda: f"manage.py {' '.join(sys.argv[1:2])}"):
            execute_from_command_line(sys.argv)
    except (OperationalError, InterfaceError) as error:
        say(f"The database does not answer: {str(error).partition(chr(10))[0]}")
        sys.exit(1)
    except ImproperlyConfigured as error:  # a missing setting is the operator's, not a crash
        say(f"{error} (README.md lists the settings; for the demo's: . var/demo/env)")
        sys.exit(1)
