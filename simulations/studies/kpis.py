"""The figures that studies compare: the one door to what the runner reports."""

from simulations.studies.statistics.study import Figure
from simulations.sumo.protocol.kpis import KPIS

FIGURES: dict[str, Figure] = {
    kpi.name: Figure(
        kpi.name,
        kpi.label,
        kpi.unit,
        kpi.decimals,
        kpi.better,
        is_count=kpi.is_rare,
        times=kpi.reading.times,
        shown_unit=kpi.reading.unit,
        shown_decimals=max(kpi.reading.decimals, int(kpi.is_rare)),  # a mean of 0.3 collisions is not none
    )
    for kpi in KPIS.values()
}
CHOICES = [(name, figure.label) for name, figure in FIGURES.items()]
DEFAULT_PRIMARY = ("mean_time_loss_s",)
