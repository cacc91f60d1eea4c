"""Imported once by the fork server: Django and the reconciler, no connection, no thread."""

import django

django.setup()

from django.urls import get_resolver  # noqa: E402
from kubernetes import client, config  # noqa: E402, TID251 - loaded when a cluster is first reached

from clusterops.management.commands import reconcile_jobs  # noqa: E402
from clusterops.reconciler import one_pass  # noqa: E402


def ready() -> bool:
    return bool(one_pass and reconcile_jobs and client and config)


get_resolver().url_patterns  # noqa: B018 - loads all views, for what is submitted
