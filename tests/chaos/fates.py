"""What a pod may be told to do, and how its job has to end then."""

from dataclasses import dataclass

MAX_ATTEMPTS = 3


@dataclass(frozen=True)
class Fate:
    """One kind of run. `code`: its exit code as the ledger has it, None if it is killed or never ends by itself."""

    kind: str
    status: str
    reason: str
    code: int | None = 0
    attempts: int = 1
    weight: int = 1


FATES = {
    fate.kind: fate
    for fate in (
        Fate("succeed", "SUCCEEDED", "COMPLETED", 0, weight=40),
        Fate("deaf", "SUCCEEDED", "COMPLETED", 0, weight=4),
        Fate("flaky", "SUCCEEDED", "COMPLETED", 0, attempts=2, weight=4),
        Fate("forever", "CANCELLED", "CANCELLED", None, weight=6),  # the harness cancels it
        Fate("invalid_job", "FAILED", "INVALID_JOB", 64),
        Fate("invalid_scenario", "FAILED", "INVALID_SCENARIO", 65),
        Fate("sumo_failed", "FAILED", "SUMO_FAILED", 66, weight=6),
        Fate("time_limit", "FAILED", "TIME_LIMIT", 67),
        Fate("too_many_teleports", "FAILED", "TOO_MANY_TELEPORTS", 68),
        Fate("output_limit", "FAILED", "OUTPUT_LIMIT", 69),
        Fate("sumo_crashed", "FAILED", "SUMO_CRASHED", 70),
        Fate("out_of_memory", "FAILED", "OUT_OF_MEMORY", 71),
        Fate("internal", "FAILED", "RUNNER_ERROR", 72, attempts=MAX_ATTEMPTS, weight=2),
        Fate("unreachable", "FAILED", "SERVICE_UNREACHABLE", 73, attempts=MAX_ATTEMPTS, weight=2),
        Fate("io_failed", "FAILED", "RESULTS_NOT_STORED", 74),
        Fate("interrupted", "FAILED", "INTERRUPTED", 75, attempts=MAX_ATTEMPTS, weight=2),
        Fate("mute", "FAILED", "RESULTS_NOT_STORED", 0, weight=2),
        Fate("mutefailure", "FAILED", "SUMO_FAILED", 66, weight=2),
        Fate("garbled", "FAILED", "RESULTS_NOT_STORED", 0, weight=2),
        Fate("nofigures", "SUCCEEDED", "COMPLETED", 0, weight=3),
        Fate("deep", "FAILED", "RESULTS_NOT_STORED", 0),
        Fate("notstored", "FAILED", "RESULTS_NOT_STORED", 0, weight=2),
        Fate("killed", "FAILED", "KILLED", None, weight=2),
        Fate("memory", "FAILED", "OUT_OF_MEMORY", None, weight=1),
    )
}
SECONDS = {"flash": "0", "short": "0.3", "medium": "1", "long": "3"}


def fate_of(scenario_id: str) -> Fate:
    """Of a scenario's name, `KIND-SECONDS`."""
    return FATES[scenario_id.split("-", 1)[0]]


def scenario_ids() -> list[str]:
    return [f"{kind}-{seconds}" for kind in FATES for seconds in SECONDS.values()]
