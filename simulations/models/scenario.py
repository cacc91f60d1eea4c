"""What is simulated."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from tenants.models import Tenant


class ScenarioQuerySet(models.QuerySet["Scenario"]):
    def visible_to(self, tenant_id: str) -> "ScenarioQuerySet":
        """A tenant's own and the shared ones."""
        return self.filter(models.Q(tenant=tenant_id) | models.Q(tenant=None))

    def best_first(self) -> "ScenarioQuerySet":
        """Own before shared, then the newest version: the first is what a name means to a tenant."""
        return self.order_by("scenario_id", models.F("tenant").asc(nulls_last=True), "-version")

    def one_per_name(self, tenant_id: str) -> "ScenarioQuerySet":
        """The newest version of each scenario that a tenant sees; an own one hides a shared one of the same name."""
        best = Scenario.objects.visible_to(tenant_id).best_first().distinct("scenario_id")
        return self.filter(pk__in=best.values("pk")).order_by("-uploaded_at", "-id")


class Scenario(models.Model):
    """One immutable version of a tenant's scenario, or of a shared one (`tenant` null). Equal bytes are stored once."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, null=True, blank=True, related_name="scenarios")
    scenario_id = models.CharField(max_length=64)
    version = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64, db_index=True)
    file = models.FileField(max_length=200)
    size_bytes = models.BigIntegerField()
    config = models.CharField(max_length=500, help_text="Path of the .sumocfg inside the archive.")
    inspection = models.JSONField(default=dict, help_text="What the upload check found inside.")
    uploaded_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar = ScenarioQuerySet.as_manager()

    class Meta:
        db_table = "scenarios"
        ordering = ["-uploaded_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "scenario_id", "version"], nulls_distinct=False, name="scenarios_unique_version"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scenario_id} v{self.version}"
