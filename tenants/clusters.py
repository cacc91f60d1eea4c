"""The Kubernetes clusters that simulations run on, and which of them is a tenant's home."""

import re
from typing import ClassVar
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

FIRST = 1  # the row that the migration makes: what it leaves empty is as the settings say
FIRST_NAME = "default"
CAPACITY = re.compile(r"off|nodes|nodepool=[a-z0-9.-]+|cpu=[1-9]\d{0,6},memory=[1-9]\d{0,6}[GT]i")
NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?")  # also a label's value in the cluster


def validate_cluster_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise ValidationError("Use 1 to 40 of a-z, 0-9 and -, not - at either end.", code="cluster.bad_name")


def validate_capacity(text: str) -> None:
    if not CAPACITY.fullmatch(text):
        raise ValidationError("Use off, nodes, nodepool=NAME or such as cpu=100,memory=200Gi.", code="cluster.capacity")


def validate_service_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_fit = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_fit = False
    if not is_fit:
        raise ValidationError("An address begins with http:// or https:// and names a host.", code="cluster.url")


class Cluster(models.Model):
    """One Kubernetes cluster. A reconciler of its own attends to it; rows are never deleted, since jobs name them."""

    class State(models.TextChoices):
        ACTIVE = "active", "active"
        DRAINING = "draining", "draining: what has begun there goes on, nothing else is started"
        DOWN = "down", "down: nothing is started there, and operators are told"

    id = models.AutoField(primary_key=True)
    name = models.CharField(max_length=40, unique=True, validators=[validate_cluster_name])
    region = models.CharField(
        max_length=40, blank=True, help_text="Where its machines stand; tenants may be bound to it."
    )
    kubeconfig = models.CharField(
        max_length=300,
        blank=True,
        help_text="Path of its kubeconfig file, as this service's processes see it; empty: as KUBE_CONFIG_PATH says.",
    )
    context = models.CharField(
        max_length=200, blank=True, help_text="Which of the kubeconfig file's contexts; empty: its current one."
    )
    service_url = models.CharField(
        "address of this service",
        max_length=300,
        blank=True,
        validators=[validate_service_url],
        help_text="As its pods see it; empty: RUNNER_URL.",
    )
    capacity = models.CharField(
        max_length=100,
        blank=True,
        validators=[validate_capacity],
        help_text="What jobs may have there at one time; empty: as CAPACITY says.",
    )
    storage = models.CharField(
        max_length=40,
        blank=True,
        db_default="",
        help_text="Which of REGION_STORAGES keeps what its tenants upload and its runs bring, from now on; "
        "empty: the installation's own. What is stored already stays where it is.",
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACTIVE)

    objects: ClassVar = models.Manager()

    class Meta:
        db_table = "clusters"
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.storage and (self.storage not in settings.STORAGES or self.storage == "staticfiles"):
            raise ValidationError({"storage": f"REGION_STORAGES names no storage “{self.storage}”."})
        if self.context and not self.kubeconfig:
            raise ValidationError({"context": "A context is one of a kubeconfig file: name that too."})

    @property
    def label(self) -> str:
        """The value of the label on what is ours there; the first cluster's objects have none, as they never had."""
        return "" if self.pk == FIRST else self.name

    @property
    def holds_back(self) -> str:
        """Why no job that has not begun is started there; empty: nothing is in the way."""
        match self.state:
            case self.State.DRAINING:
                return f"The cluster {self.name} takes no new jobs at present; this one waits until it does."
            case self.State.DOWN:
                return f"The cluster {self.name} is down; this job waits until it is up again."
        return ""


def first_cluster() -> Cluster:
    """As it is without a row: all as the settings say."""
    return Cluster(pk=FIRST, name=FIRST_NAME)
