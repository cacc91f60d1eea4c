"""Which installation of the product this is: several may share a cluster, and each sees and touches its own only."""

import re
import secrets
from functools import cache

from django.conf import settings

from clusterops.models import Installation

MANAGED_BY = "app.kubernetes.io/managed-by"
INSTALLATION = "sumok8.io/installation"
CLUSTER = "sumok8.io/cluster"  # which of its clusters; not on what is in the first
NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")  # a label's value, and nothing to quote anywhere


class WrongInstallation(Exception):
    """Setting and database name different installations; the message says what to do."""


def own_id() -> str:
    """INSTALLATION_ID, or else what the database keeps since the first start."""
    return settings.INSTALLATION_ID or _kept()


@cache
def _kept() -> str:
    row, _ = Installation.objects.get_or_create(pk=1, defaults={"name": secrets.token_hex(6)})
    return row.name


def confirm() -> str:
    """Keep the id at the first start, and refuse another one later. Raises WrongInstallation."""
    wanted = settings.INSTALLATION_ID
    if wanted and not NAME.fullmatch(wanted):
        raise WrongInstallation(f"INSTALLATION_ID {wanted!r} must be 1 to 63 of a-z, 0-9 and -, not - at either end.")
    row, _ = Installation.objects.get_or_create(pk=1, defaults={"name": wanted or secrets.token_hex(6)})
    if wanted and row.name != wanted:
        raise WrongInstallation(
            f"This database belongs to the installation {row.name}, and INSTALLATION_ID is {wanted}. Set it back; or, "
            f"if the installation is renamed or the database is a copy, see manage.py adopt_cluster --help."
        )
    return row.name


def selector(cluster: str = "") -> str:
    """Selects the objects of this installation in one of its clusters and no others. Empty: in the first.

    So two reconcilers keep apart even where two rows lead to the same API server.
    """
    return f"{MANAGED_BY}=sumok8,{INSTALLATION}={own_id()}," + (f"{CLUSTER}={cluster}" if cluster else f"!{CLUSTER}")


def others_selector() -> str:
    """Selects every object that is not this installation's, whoever made it."""
    return f"{INSTALLATION}!={own_id()}"
