"""Signs that the figures of a run should not be trusted, each as a sentence with its numbers."""

from collections.abc import Iterable, Mapping
from typing import Any

from simulations.sumo.protocol.problems import Problem, plain
from simulations.sumo.results.kpis import Kpis
from simulations.sumo.results.sumo_run import SumoRun

MAX_TELEPORT_SHARE = 0.01
MAX_NOT_INSERTED_SHARE = 0.05
MAX_UNFINISHED_SHARE = 0.1
MAX_REMOVED_SHARE = 0.01


def warnings(
    figures: Kpis,
    run: SumoRun,
    *,
    complete: bool,
    not_finite: Iterable[str] = (),
    demand: Mapping[str, Any] | None = None,
    dropped_at_least: int = 0,
) -> list[Problem]:
    """What a reader must know before the figures; `complete` runs only are judged by what is left at their end.

    `not_finite` names the figures that SUMO gave as "nan" or "inf"; `demand` counts the elements in the demand files.
    `dropped_at_least` stands for `vehicles_dropped` where that is not known.
    """
    found = [_unsorted(figures, run), _not_finite(not_finite), _teleports(figures), _removed(figures)]
    if complete:
        found += [_nothing(figures, run, demand), _not_inserted(figures, dropped_at_least), *_unfinished(figures, run)]
    return [problem for problem in found if problem is not None]


def _unsorted(figures: Kpis, run: SumoRun) -> Problem | None:
    if not run.unsorted:
        return None
    sentence = (
        f"SUMO left out {run.unsorted} of the vehicles, persons or flows, because their route file is not sorted by "
        f"departure; the number of vehicles that entered the network is {_count(figures, 'vehicles_inserted')}."
    )
    return Problem("quality.unsorted", sentence, hint="Sort it with SUMO's tools/route/sort_routes.py.")


def _not_finite(names: Iterable[str]) -> Problem | None:
    names = sorted(names)
    if not names:
        return None
    sentence = f"SUMO gave no finite number for {len(names)} figures, which are left out: {', '.join(names)}."
    return Problem("quality.not_finite", sentence, hint="Look for 'nan' or 'inf' in the demand, such as a speedFactor.")


def _teleports(figures: Kpis) -> Problem | None:
    teleports, inserted = _count(figures, "teleports"), _count(figures, "vehicles_inserted")
    if not inserted or teleports / inserted <= MAX_TELEPORT_SHARE:
        return None
    sentence = f"{teleports} teleports for {inserted} vehicles: above 1 % the figures should not be trusted."
    return Problem("quality.teleports", sentence)


def _removed(figures: Kpis) -> Problem | None:
    inserted, arrived = _count(figures, "vehicles_inserted"), figures.get("vehicles_arrived")
    if not inserted or arrived is None:
        return None
    removed = inserted - int(arrived) - _count(figures, "vehicles_running_at_end")
    if removed / inserted <= MAX_REMOVED_SHARE:
        return None
    sentence = (
        f"{removed} of {inserted} vehicles were taken out on their way, as by a collision or a calibrator; "
        "the means leave them out."
    )
    return Problem("quality.removed", sentence)


def _nothing(figures: Kpis, run: SumoRun, demand: Mapping[str, Any] | None) -> Problem | None:
    names = ("vehicles_inserted", "vehicles_waiting_at_end", "vehicles_dropped", "persons_loaded")
    if figures.get("vehicles_inserted") is None or any(_count(figures, name) for name in names):
        return None
    counted = ""
    if demand and demand.get("complete"):
        counted = "; the files name {vehicles} vehicles, {flows} flows and {persons} persons".format(**demand)
    sentence = f"Nothing was simulated{_between(run)}: nobody departed{counted}."
    return Problem("quality.nothing_simulated", sentence, hint="Do 'begin' and 'end' fit the demand's departures?")


def _not_inserted(figures: Kpis, dropped_at_least: int) -> Problem | None:
    is_known = figures.get("vehicles_dropped") is not None
    dropped = _count(figures, "vehicles_dropped") if is_known else dropped_at_least
    inserted, waiting = _count(figures, "vehicles_inserted"), _count(figures, "vehicles_waiting_at_end")
    outside = waiting + dropped
    if outside / max(inserted + outside, 1) <= MAX_NOT_INSERTED_SHARE:
        return None
    also = f" and {'' if is_known else 'at least '}{dropped} were dropped after 'max-depart-delay'" if dropped else ""
    sentence = (
        f"{waiting} vehicles were still waiting to enter the network at the end{also}, "
        f"{inserted} had entered; the means leave out who did not."
    )
    return Problem("quality.dropped" if dropped else "quality.not_inserted", sentence)


def _unfinished(figures: Kpis, run: SumoRun) -> Iterable[Problem]:
    kinds = [
        ("vehicles", "vehicles_running_at_end", "vehicles_inserted"),
        ("persons", "persons_running_at_end", "persons_loaded"),
    ]
    for kind, running_name, all_name in kinds:
        running, entered = _count(figures, running_name), _count(figures, all_name)
        if entered and running / entered > MAX_UNFINISHED_SHARE:
            sentence = (
                f"{running} of {entered} {kind} were still under way at the end{_at_end(run)}; "
                "the means leave them out, and with them the longest trips."
            )
            yield Problem("quality.unfinished", sentence, hint="Let the run end later.")


def _count(figures: Kpis, name: str) -> int:
    return int(figures.get(name) or 0)


def _between(run: SumoRun) -> str:
    if run.sim_begin is None or run.sim_end is None:
        return ""
    return f" between {plain(run.sim_begin)} s and {plain(run.sim_end)} s"


def _at_end(run: SumoRun) -> str:
    return f" ({plain(run.sim_end)} s)" if run.sim_end is not None else ""
