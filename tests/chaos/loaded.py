"""Imported once by the fork server: Django and the reconciler, no connection, no thread."""

import django

django.setup()

from clusterops.management.commands import reconcile_jobs  # noqa: E402


def ready() -> bool:
    return bool(reconciler and reconcile_jobs)
