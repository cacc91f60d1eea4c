"""What single runs wrote, cell by cell: curves over time and travel times, with all seeds as a band."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import F
from django.http import HttpRequest, HttpResponse

from simulations.charts.chart import SERIES, Chart
from simulations.charts.curves import Curve, CurvePoint, curves
from simulations.charts.scale import TIME_STEPS_S, plain
from simulations.charts.shares import Histogram, cumulated_shares
from simulations.held import place_and_turn
from simulations.models import Artifact
from simulations.portal.access import Seat, member_page, show
from simulations.portal.lookup import find_study
from simulations.run_series import simulated, travel_times
from simulations.studies.models import Study, StudyRun
from tenants.errors import ApiError

MOST_RUNS = 10  # of a cell: their files are read for this page
BINS = 120
SERIES_FILE, TIMES_FILE = "summary.csv.gz", "travel_times.json"
MEASURES = (("running", "Vehicles under way", "vehicles", 0), ("halting", "Vehicles standing", "vehicles", 0),
            ("mean_speed", "Mean speed", "km/h", 1))  # fmt: skip
Samples = Mapping[str, Sequence[float | None]]
Read = TypeVar("Read")


@member_page()
def study_curves(request: HttpRequest, seat: Seat, study_id: UUID) -> HttpResponse:
    """A page of its own, or the part of it that the comparison fetches when it is scrolled to."""
    study = find_study(seat, study_id)
    part = "HX-Request" in request.headers
    template = "portal/studies/_curves.html" if part else "portal/studies/curves.html"
    try:
        with place_and_turn(study.tenant_id):
            return show(request, seat, template, {"study": study, **of_study(study)})
    except ApiError as error:  # htmx puts no answer but a 200 in its place
        told = {"study": study, "trouble": error.message}
        return show(request, seat, template, told, status=200 if part else error.status_code)


def of_study(study: Study) -> dict[str, Any]:
    """At most `SERIES` cells of `MOST_RUNS` runs: three statements. Raises ApiError 503 storage.unavailable."""
    names = dict(study.cells.values_list("pk", "name"))
    shown = list(names)[:SERIES]
    rows = study.runs.filter(status=StudyRun.Status.SUCCEEDED, cell__in=shown, job__isnull=False).order_by("place")
    jobs: dict[int, list[UUID]] = {}
    for cell_id, job_id in rows.values_list("cell_id", "job_id"):
        of_cell = jobs.setdefault(cell_id, [])
        if len(of_cell) < MOST_RUNS:
            of_cell.append(job_id)
    wanted = [job_id for of_cell in jobs.values() for job_id in of_cell]
    files = Artifact.objects.filter(job__in=wanted, name__in=[SERIES_FILE, TIMES_FILE], attempt=F("job__attempt"))
    found = {(file.job_id, file.name): file for file in files}

    def of(cell_id: int, name: str) -> list[Artifact]:
        return [found[job_id, name] for job_id in jobs.get(cell_id, []) if (job_id, name) in found]

    series = [(names[cell], _readable(_samples, of(cell, SERIES_FILE))) for cell in shown]
    times = [(names[cell], _readable(_histogram, of(cell, TIMES_FILE))) for cell in shown]
    return {
        "charts": [*_over_time(series), *_distribution(times)],
        "most_runs": MOST_RUNS,
        "hidden": len(names) - len(shown),
    }


@lru_cache(maxsize=256)
def _samples(artifact: Artifact) -> Samples:
    """A file is written once, so that what was read stays right. Raises LookupError where there is nothing to read."""
    found = simulated(artifact)
    if not found["x"]:
        raise LookupError
    return {name: tuple(values) for name, values in found.items()}


@lru_cache(maxsize=1024)
def _histogram(artifact: Artifact) -> Histogram:
    """The same for travel times."""
    found = travel_times(artifact)
    if not found["trips"]:
        raise LookupError
    return Histogram(found["bin_s"], tuple(found["trips"]))


def _readable(read: Callable[[Artifact], Read], artifacts: Iterable[Artifact]) -> list[Read]:
    found = []
    for artifact in artifacts:
        with suppress(LookupError):
            found.append(read(artifact))
    return found


def _over_time(cells: Sequence[tuple[str, Sequence[Samples]]]) -> Iterable[Chart]:
    times = [time for _, runs in cells for run in runs for time in run["x"] if time is not None]
    if not times:
        return
    span = max(times) - min(times)
    width = next((step for step in TIME_STEPS_S if span / step <= BINS), span / BINS)
    for name, title, unit, decimals in MEASURES:
        drawn = [Curve(cell, mean_of(runs, name, width)) for cell, runs in cells if runs]

        def text(value: float, decimals: int = decimals, unit: str = unit) -> str:
            return f"{plain(value, decimals)} {unit}"

        yield curves(
            title, drawn, x_unit="simulated time, h:mm", y_unit=unit, text=text, band="lowest to highest seed",
            times=True, zero=True,
        )  # fmt: skip


def mean_of(runs: Sequence[Samples], name: str, width: float) -> tuple[CurvePoint, ...]:
    """The mean over the runs that measured anything in a bin; a gap where none did."""
    of_bins: dict[int, list[float]] = {}
    for run in runs:
        sums: dict[int, list[float]] = {}
        for time, value in zip(run["x"], run.get(name, ()), strict=False):
            bucket = sums.setdefault(int((time or 0.0) // width), [])
            if value is not None:
                bucket.append(value)
        for number, values in sums.items():
            means = of_bins.setdefault(number, [])
            if values:
                means.append(sum(values) / len(values))
    if not of_bins:
        return ()
    found = []
    for number in range(min(of_bins), max(of_bins) + 1):
        means, x = of_bins.get(number, []), number * width
        found.append(CurvePoint(x, sum(means) / len(means), (min(means), max(means))) if means else CurvePoint(x, None))
    return tuple(found)


def _distribution(cells: Sequence[tuple[str, Sequence[Histogram]]]) -> Iterable[Chart]:
    drawn = cumulated_shares(cells)
    if drawn:
        yield curves(
            "Trips that took less than so long", drawn, x_unit="travel time, s", y_unit="% of finished trips",
            text=lambda value: f"{plain(value, 1)} %", band="lowest to highest seed", zero=True,
        )  # fmt: skip
