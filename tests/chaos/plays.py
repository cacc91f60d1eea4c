"""The plays by name: run one, check, and print what was counted."""

import time
import traceback
from argparse import Namespace
from collections import Counter
from collections.abc import Callable
from typing import Any

from simulations.models import Job
from tests.chaos import world
from tests.chaos.clusters import Clusters
from tests.chaos.crash_points import CrashPoints
from tests.chaos.crowded import Crowded
from tests.chaos.installations import Installations
from tests.chaos.invariants import violations
from tests.chaos.scenario import Scenario
from tests.chaos.sending import SendingPlay
from tests.chaos.stage import Stage
from tests.chaos.study import StudyPlay


def perform(stage: Stage, options: Namespace) -> list[str]:
    """The plays that `options` name, one after the other on the same stage; returns which rules broke."""
    world.make_scenarios()
    plays = {
        "scenario": scenario,
        "crash-points": crash_points,
        "crowded": crowded,
        "study": study,
        "sending": sending,
        "clusters": clusters,
        "installations": installations,
    }
    return [problem for name in options.plays for problem in plays[name](stage, options)]


def scenario(stage: Stage, options: Namespace) -> list[str]:
    play = Scenario(stage, seed=options.seed, jobs=options.jobs, faults=options.faults)
    problems, seconds = played(stage, play)
    play.close()
    proxy = stage.proxy
    print(f"chaos: seed {options.seed}, {ends(play.told)}, {seconds:.0f} s")
    print(f"  acts: {counted(play.acts)}")
    print(f"  HTTP answers (0: none): {counted(play.web.statuses)}")
    if broken := play.web.statuses[500]:
        problems.append(f"the web answered 500 {broken} times; see web.log")
    print(f"  faults in {proxy.requests} requests: {counted(proxy.counts)}")
    return problems


def study(stage: Stage, options: Namespace) -> list[str]:
    play = StudyPlay(stage, seed=options.seed, faults=options.faults)
    problems, seconds = played(stage, play)
    print(f"study: seed {options.seed}, {ends(play.told)}, {seconds:.0f} s")
    print(f"  acts: {counted(play.acts)}")
    return problems


def crash_points(stage: Stage, options: Namespace) -> list[str]:
    play = CrashPoints(
        stage,
        first=1 + options.seed % options.stride,
        stride=options.stride,
        most=options.lives,
        lost_every=options.lost_every,
    )
    problems, seconds = played(stage, play)
    print(f"crash points: {play.lives} lives, {play.losses} machines lost, {ends(play.told)}, {seconds:.0f} s")
    print(f"  died before: {counted(play.points)}")
    return problems


def crowded(stage: Stage, options: Namespace) -> list[str]:
    play = Crowded(stage, seed=options.seed, jobs=options.jobs)
    problems, seconds = played(stage, play)
    play.close()
    print(f"crowded: seed {options.seed}, {ends(play.told)}, {seconds:.0f} s; deleted by hand: {counted(play.deleted)}")
    return problems + play.unfair()


def sending(stage: Stage, options: Namespace) -> list[str]:
    play = SendingPlay(stage, first=1 + options.seed % options.stride, stride=options.stride)
    problems, seconds = played(stage, play)
    again = sum(count > 1 for count in play.arrived.values())
    print(f"sending: {play.lives} lives, {len(play.arrived)} notices arrived, {again} more than once, {seconds:.0f} s")
    print(f"  died before: {counted(play.crashes.points)}")
    return problems + play.problems


def clusters(stage: Stage, options: Namespace) -> list[str]:
    play = Clusters(stage, jobs=options.jobs, away_s=options.away)
    problems, seconds = played(stage, play)
    play.close()
    print(f"clusters: {ends(play.told)}, {seconds:.0f} s; of the tenant that moved: {counted(play.moved)}")
    return problems + play.noticed


def installations(stage: Stage, options: Namespace) -> list[str]:
    play = Installations(stage, seed=options.seed, jobs=options.jobs)
    problems, seconds = played(stage, play, play.wrong)
    play.close()
    ended = "; ".join(f"{database}: {counted(ends)}" for database, ends in play.ends.items())
    print(f"installations: seed {options.seed}, {ended}, {seconds:.0f} s; acts: {counted(play.acts)}")
    return problems


def played(stage: Stage, play: Any, wrong: Callable[[], list[str]] | None = None) -> tuple[list[str], float]:
    """What went wrong, by the invariants or as `wrong` has it, and how long it took."""
    begun, since = time.monotonic(), len(stage.ledger.entries)
    problems = []
    try:
        play.run()
    except TimeoutError as error:
        active = Job.objects.active()[:20]
        problems = [str(error), *(f"not ended: {job.pk} {job.status} {job.reason} {job.message}" for job in active)]
    except Exception:  # noqa: BLE001 - told with the rest
        problems = [traceback.format_exc()]
    problems += wrong() if wrong else violations(stage.ledger, play.told, play.limits, since)
    return problems, time.monotonic() - begun


def ends(told: dict[str, world.Told]) -> str:
    jobs = list(Job.objects.filter(pk__in=told))
    again = sum(job.attempt > 1 for job in jobs)
    kinds = Counter(f"{job.status} {job.reason}" for job in jobs)
    return f"{len(jobs)} jobs ({again} with more than one attempt): {counted(kinds)}"


def counted(counts: Counter[Any]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items(), key=lambda each: (-each[1], each[0])))
