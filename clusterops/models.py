"""What the reconciler knows of the cluster, for people and for its own next pass."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from simulations.attention import Look
from simulations.machines import Sizes
from tenants.clusters import FIRST, Cluster
from tenants.models import Tenant


class TenantNamespace(models.Model):
    """A tenant's namespace: which limits are in force there, and what is wrong with it."""

    tenant = models.OneToOneField(Tenant, models.CASCADE, primary_key=True, related_name="cluster_namespace")
    cluster = models.ForeignKey(
        Cluster,
        models.PROTECT,
        default=FIRST,
        db_default=models.Value(FIRST),
        related_name="+",
        db_index=False,
        help_text="In which it was made.",
    )
    namespace = models.CharField(max_length=63)
    uid = models.CharField(
        max_length=64, blank=True, help_text="The Namespace's uid; another one is another namespace."
    )
    applied = models.JSONField(default=dict, help_text="The limits last written to the cluster.")
    applied_at = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True, help_text="When it was last seen to be as wanted.")
    repairs = models.PositiveIntegerField(default=0, help_text="How often someone else's change was undone.")
    problem = models.TextField(blank=True, help_text="Why jobs cannot start there; empty: nothing.")
    problem_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "tenant_namespaces"

    def __str__(self) -> str:
        return self.namespace


class FairShare(models.Model):
    """What a tenant has used of the cluster lately, decayed, and since when its next job finds no room."""

    tenant = models.OneToOneField(Tenant, models.CASCADE, primary_key=True, related_name="fair_share")
    cpu_s = models.FloatField(default=0.0, help_text="Core-seconds, halved with each half-life that passes.")
    memory_gi_s = models.FloatField(default=0.0, help_text="Gi-seconds, in the same way.")
    at = models.DateTimeField(help_text="Until when it is reckoned.")
    overtaken_job = models.UUIDField(null=True, blank=True, help_text="Its next job, which found no room.")
    overtaken_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "fair_shares"

    def __str__(self) -> str:
        return f"{self.tenant_id}: {self.cpu_s:.0f} core-seconds"


class Installation(models.Model):
    """One row: the id under which this installation marks its objects in the cluster, kept since its first start."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    name = models.CharField(max_length=63)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "installation"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="installation_one_row")]

    def __str__(self) -> str:
        return self.name


class ReconcilerState(models.Model):
    """A row for each cluster: the last pass and the last look at it. Read it with `ReconcilerState.get()`."""

    cluster = models.OneToOneField(
        Cluster, models.CASCADE, primary_key=True, default=FIRST, db_column="id", related_name="reconciler_state"
    )
    pass_started_at = models.DateTimeField(null=True, blank=True)
    pass_finished_at = models.DateTimeField(null=True, blank=True)
    pass_duration_s = models.FloatField(null=True, blank=True)
    passes = models.BigIntegerField(default=0)
    counts = models.JSONField(default=dict, help_text="Of the last pass; see `reconciler.Counts`.")
    cluster_reachable = models.BooleanField(null=True, help_text="Null: never asked.")
    last_success_at = models.DateTimeField(null=True, blank=True, help_text="The last pass that saw the cluster.")
    error = models.TextField(blank=True, help_text="Why the last pass ended early; empty: it did not.")
    troubles = models.JSONField(
        default=list, help_text="The first of what fails pass after pass, and objects that cannot be read."
    )
    snapshot = models.JSONField(null=True, blank=True, help_text="The last look at nodes and usage.")
    sizes = models.JSONField(
        default=list, help_text="[cores, Gi] of the largest machines that jobs may be given; empty: not known."
    )
    snapshot_at = models.DateTimeField(null=True, blank=True)
    certificate_ends_at = models.DateTimeField(
        null=True, blank=True, help_text="Of what it shows the cluster; null: it shows none."
    )
    volume_free = models.BigIntegerField(
        null=True, blank=True, help_text="Bytes, where files are kept; null: a bucket, or another reconciler says."
    )
    volume_size = models.BigIntegerField(null=True, blank=True)

    class Meta:
        db_table = "reconciler_state"
        ordering = ["cluster"]

    def __str__(self) -> str:
        return f"pass {self.passes}"

    @classmethod
    def get(cls, cluster_id: int = FIRST) -> "ReconcilerState":
        """The cluster's row; before the first pass an unsaved one with every field empty."""
        return cls.objects.filter(pk=cluster_id).first() or cls(pk=cluster_id)

    @classmethod
    def largest_machines(cls, cluster_id: int | None) -> Sizes:
        """As last seen, for submissions; empty: not known."""
        return cls.objects.filter(pk=cluster_id).values_list("sizes", flat=True).first() or []

    @classmethod
    def look(cls, cluster_id: int | None) -> Look:
        """The last look at the cluster's jobs, for what is told of them."""
        times = cls.objects.filter(pk=cluster_id).values_list("pass_finished_at", "last_success_at").first()
        return Look(*times) if times else Look()


class ClusterSample(models.Model):
    """A cluster once a minute, for charts. CPU in cores, memory in bytes; kept for a week. Where it did not answer,
    what only it knows is 0 and means nothing."""

    at = models.DateTimeField(default=timezone.now, primary_key=True)
    cluster = models.ForeignKey(
        Cluster, models.CASCADE, default=FIRST, db_default=models.Value(FIRST), related_name="+", db_index=False
    )
    running = models.PositiveIntegerField()
    queued = models.PositiveIntegerField()
    starting = models.PositiveIntegerField()
    nodes = models.PositiveIntegerField()
    nodes_ready = models.PositiveIntegerField()
    cpu_requested = models.FloatField()
    cpu_allocatable = models.FloatField()
    memory_requested = models.FloatField()
    memory_allocatable = models.FloatField()
    saw_cluster = models.BooleanField(default=True, db_default=True)

    class Meta:
        db_table = "cluster_samples"
        ordering = ["at"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}"


class AttentionSilence(models.Model):
    """An operator knows of a cause: it is not told for a while, of one tenant or of all."""

    cause = models.CharField(max_length=40)
    tenant = models.ForeignKey(
        Tenant, models.CASCADE, null=True, blank=True, related_name="+", help_text="Empty: whomever it is about."
    )
    until = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar = models.Manager()

    class Meta:
        db_table = "attention_silences"
        ordering = ["until"]

    def __str__(self) -> str:
        return f"{self.cause} of {self.tenant_id or 'all'} until {self.until:%Y-%m-%d %H:%M}"
