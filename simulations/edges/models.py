"""A study's traffic per edge, as running sums: what ended is added once, and pages only read."""

from typing import ClassVar

from django.db import models

from simulations.studies.models import Cell, StudyRun


class Network(models.Model):
    """A network to draw, once for all that ran on it; it outlives the jobs that delivered it."""

    sha256 = models.CharField(primary_key=True, max_length=64, help_text="Of the packed bytes.")
    content = models.BinaryField(help_text="JSON as gzip; see docs/edges.md.")
    edge_order = models.CharField(max_length=64)

    class Meta:
        db_table = "edge_networks"

    def __str__(self) -> str:
        return self.sha256[:12]


class CellTraffic(models.Model):
    """Sums over the runs of a cell, and over its pairs with the cell it is compared with; see `sums`."""

    cell = models.OneToOneField(Cell, models.CASCADE, primary_key=True, related_name="traffic")
    network = models.ForeignKey(Network, models.PROTECT, related_name="+")
    intervals = models.JSONField(help_text="Begin and end, s; the end of the run that lasted longest.")
    columns = models.JSONField()
    seconds = models.JSONField(help_text="Of each interval, over all runs.")
    runs = models.PositiveIntegerField(default=0)
    sums = models.BinaryField()
    pairs = models.PositiveIntegerField(default=0)
    differences = models.BinaryField(default=b"", blank=True)

    class Meta:
        db_table = "edge_cells"

    def __str__(self) -> str:
        return f"traffic of {self.cell_id}"


class FoldedRun(models.Model):
    """A run that was added, or why it was not: no run counts twice."""

    run = models.OneToOneField(StudyRun, models.CASCADE, primary_key=True, related_name="folded")
    problem = models.CharField(max_length=300, blank=True)
    paired = models.BooleanField(
        default=True, db_default=True, help_text="Its difference to the cell that its own is compared with was added."
    )

    objects: ClassVar = models.Manager()

    class Meta:
        db_table = "edge_folded_runs"
        indexes = [models.Index(fields=["run"], name="edge_folded_runs_unpaired", condition=models.Q(paired=False))]

    def __str__(self) -> str:
        return f"{self.run_id} {self.problem}".strip()
