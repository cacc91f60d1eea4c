"""A scenario at a glance, kept so that its archive is read once."""

from typing import ClassVar

from django.db import models

from simulations.models.scenario import Scenario


class ScenarioProfile(models.Model):
    """What `sumo.inputs.profile` made of one version."""

    scenario = models.OneToOneField(Scenario, models.CASCADE, primary_key=True, related_name="profile")
    content = models.JSONField()

    objects: ClassVar = models.Manager()

    class Meta:
        db_table = "scenario_profiles"

    def __str__(self) -> str:
        return f"profile of {self.scenario_id}"
