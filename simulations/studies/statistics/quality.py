"""Signs that figures should be read with care, or not be trusted. Told, never acted upon."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from simulations.studies.statistics.sample import mean, outliers
from simulations.studies.statistics.study import CellRuns, Figure, Question

DEMAND = (
    "An interval says how much the seed alone moves a figure. It says nothing of how sure the demand itself is: "
    "a wrong demand moves figures by more. Sweep the scale to see by how much."
)
# (yellow, red) shares; SUMO's documentation and TxDOT 13.6.4 treat more as a sign of an overloaded or faulty network.
TELEPORTS = (0.001, 0.01)
NOT_INSERTED = (0.01, 0.05)
UNFINISHED = (0.02, 0.10)
STANDSTILL_S = 600
NOT_ENTERED = ("vehicles_waiting_at_end", "vehicles_dropped")
DEMAND_DIFFERS = 0.001
FOLLOWS = 0.8  # of a rise in demand, the share that finished trips must show


@dataclass(frozen=True, slots=True)
class Flag:
    level: str  # yellow | red
    code: str
    message: str
    cell: str | None = None
    seeds: tuple[int, ...] = ()


def flags(cells: Sequence[CellRuns], question: Question, figures: Sequence[Figure]) -> list[Flag]:
    """All flags, red ones first."""
    by_name = {figure.name: figure for figure in figures}
    found: list[Flag] = []
    for cell in cells:
        found += _of_cell(cell)
        found += _window(cell)
        found += _gridlock(cell)
        found += _outliers(cell, [by_name[name] for name in question.primary if name in by_name])
    found += _failures(cells)
    found += _unlike_settings(cells)
    found += _demand(cells)
    return sorted(found, key=lambda flag: flag.level != "red")


def _of_cell(cell: CellRuns) -> Iterator[Flag]:
    shares = (
        ("teleports", TELEPORTS, "vehicles were teleported", "teleports", ("vehicles_inserted",)),
        ("not_inserted", NOT_INSERTED, "vehicles found no place to enter, and no mean has them in it",
         "vehicles_waiting_at_end", ("vehicles_inserted", "vehicles_waiting_at_end")),
        ("dropped", NOT_INSERTED,
         "vehicles were dropped before they entered, and neither a mean nor vehicle-hours have them in it",
         "vehicles_dropped", ("vehicles_inserted", *NOT_ENTERED)),
        ("unfinished", UNFINISHED, "vehicles were still under way at the end, and no trip mean has them in it",
         "vehicles_running_at_end", ("vehicles_inserted",)),
    )  # fmt: skip
    for code, (yellow, red), what, over, under in shares:
        share = _share(cell, over, under)
        if share is not None and share > yellow:
            level = "red" if share > red else "yellow"
            yield Flag(level, code, f"{share * 100:.1f} % of {what}.", cell.name)


def _window(cell: CellRuns) -> Iterator[Flag]:
    """Neither is seen in an interval: a network that is still filling, trips that had no time to end."""
    begin, end = (cell.setting.get(name) for name in ("window_begin", "window_end"))
    if begin is None and end is None:
        return
    if begin is None or begin <= (cell.setting.get("begin") or 0):
        message = "The window begins with an empty network: let it begin after a warm-up."
        yield Flag("yellow", "no_warm_up", message, cell.name)
    if end is not None and cell.setting.get("end") is not None and end >= cell.setting["end"]:
        message = "The run ends with the window: its last trips had no time to finish. Let the run end later."
        yield Flag("yellow", "no_cool_down", message, cell.name)


def _gridlock(cell: CellRuns) -> Iterator[Flag]:
    """Means over what still moves look better than such a network is."""
    seeds = tuple(seed for seed, longest in cell.values("standstill_s").items() if longest >= STANDSTILL_S)
    if seeds:
        message = (
            f"{len(seeds)} of {len(cell.succeeded)} runs came to a standstill: half of the vehicles stood and none "
            f"arrived for {STANDSTILL_S // 60} minutes or more."
        )
        yield Flag("red", "gridlock", message, cell.name, seeds)


def _share(cell: CellRuns, over: str, under: Sequence[str]) -> float | None:
    """Mean over the runs of over / Σ under."""
    shares = []
    for run in cell.succeeded:
        parts = [run.kpis.get(name) for name in (over, *under)]
        whole = sum(part or 0 for part in parts[1:])
        if parts[0] is not None and whole > 0:
            shares.append(parts[0] / whole)
    return mean(shares) if shares else None


def _outliers(cell: CellRuns, primary: Sequence[Figure]) -> Iterator[Flag]:
    for figure in primary:
        if seeds := outliers(cell.values(figure.name)):
            names = ", ".join(map(str, seeds))
            message = f"{figure.label}: seed {names} is far from the others. It is not left out; look at its run."
            yield Flag("yellow", "outlier_seed", message, cell.name, tuple(seeds))


def _failures(cells: Sequence[CellRuns]) -> Iterator[Flag]:
    """What fails more in one variant than in the others leaves only the survivors to compare."""
    shares = {cell.name: len(cell.failed) / len(cell.runs) for cell in cells if cell.runs}
    if not any(shares.values()):
        return
    for cell in cells:
        if cell.name in shares and len(cell.failed) >= 2:
            others = [share for name, share in shares.items() if name != cell.name]
            if others and shares[cell.name] >= 0.1 and shares[cell.name] >= 3 * mean(others):
                message = (
                    f"{len(cell.failed)} of {len(cell.runs)} runs failed here, far more than elsewhere: the rest are "
                    "survivors, and comparing them is biased."
                )
                seeds = tuple(run.seed for run in cell.failed)
                yield Flag("red", "failures_clustered", message, cell.name, seeds)


def _unlike_settings(cells: Sequence[CellRuns]) -> Iterator[Flag]:
    versions = {run.sumo_version for cell in cells for run in cell.succeeded if run.sumo_version}
    if len(versions) > 1:
        message = f"The runs used different versions of SUMO: {', '.join(sorted(versions))}."
        yield Flag("red", "sumo_version_differs", message)
    for name, what in (("step_length", "step lengths"), ("begin", "begins"), ("end", "ends")):
        values = {cell.setting.get(name) for cell in cells}
        if len(values) > 1:
            told = ", ".join(str(value) for value in sorted(values, key=str))
            yield Flag("yellow", f"{name}_differs", f"The cells have different {what}: {told}.")


def _demand(cells: Sequence[CellRuns]) -> Iterator[Flag]:
    """Cells that are compared, by the demand that was loaded and by the trips that came to an end."""
    by_name = {cell.name: cell for cell in cells}
    for cell in cells:
        base = by_name.get(cell.against or "")
        if base is None:
            continue
        loaded, finished = _ratio(cell, base, ("vehicles_inserted", *NOT_ENTERED)), None
        if loaded is None:
            continue
        # Below a scale of 1 nobody counts who was dropped.
        counted = [bool(each.values("vehicles_dropped")) for each in (cell, base)]
        scales = [float(each.setting.get("scale") or 1.0) for each in (cell, base)]
        if scales[0] == scales[1]:
            if abs(loaded - 1) > DEMAND_DIFFERS:
                message = f"{loaded * 100 - 100:+.1f} % vehicles were loaded compared with {base.name}."
                yield Flag("yellow", "demand_differs", message.replace("-", "−"), cell.name)
            continue
        finished = _ratio(cell, base, ("trips_finished",)) if counted[0] == counted[1] else None
        if finished is not None and loaded > 1 and finished - 1 < FOLLOWS * (loaded - 1):
            message = (
                f"The demand rose by {loaded * 100 - 100:.1f} % against {base.name}, finished trips by "
                f"{finished * 100 - 100:.1f} %: means over finished trips look better than the traffic is."
            )
            level = "red" if finished - 1 < 0.5 * (loaded - 1) else "yellow"
            yield Flag(level, "trips_do_not_follow_demand", message.replace("by -", "by −"), cell.name)


def _ratio(cell: CellRuns, base: CellRuns, names: Sequence[str]) -> float | None:
    """Of the means over the common seeds of the sums of those figures; only the first must be there."""
    sums: list[dict[int, float]] = []
    for each in (cell, base):
        first, *others = (each.values(name) for name in names)
        sums.append({seed: value + sum(part.get(seed, 0) for part in others) for seed, value in first.items()})
    common = sums[0].keys() & sums[1].keys()
    over, under = (sum(side[seed] for seed in common) for side in sums)
    return over / under if common and under > 0 else None
