"""Break the product on purpose. The exit code is 1, and the broken rules are told, if one of them broke."""

import argparse
import os
import sys
from pathlib import Path

from tests import pgbouncer
from tests.chaos.stage import CPUS, Stage, new_folder
from tests.last_will import watch_over

DEFAULT_SEED = 20261123


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument(
        "plays",
        nargs="+",
        choices=("scenario", "crash-points", "crowded", "study", "sending", "clusters", "installations"),
    )
    parser.add_argument("--seed", type=int, default=int(os.environ.get("CHAOS_SEED", DEFAULT_SEED)))
    parser.add_argument("--jobs", type=int, default=int(os.environ.get("CHAOS_JOBS", 200)))
    parser.add_argument("--faults", type=float, default=0.1, help="share of the cluster's answers that go wrong")
    parser.add_argument("--pooled", action="store_true", help="web and reconcilers reach PostgreSQL through pgbouncer")
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs and ledger")
    parser.add_argument("--away", type=float, default=10.0, help="clusters: seconds that one of them is dead")
    parser.add_argument("--stride", type=int, default=1, help="crash points: every so many steps")
    parser.add_argument("--lives", type=int, help="crash points: at most so many for each victim; else until none dies")
    parser.add_argument("--lost-every", type=int, default=1, help="crash points: in every so many lives a machine dies")
    parser.add_argument("--dump", type=Path, help="a migrated database in SQL, had sooner than by migrating")
    options = parser.parse_args()
    if {"crowded", "installations"} & set(options.plays) and len(options.plays) > 1:
        parser.error("crowded and installations are played alone: their cluster or their databases are others")
    if options.pooled and pgbouncer.PROGRAM is None:
        print("pgbouncer is not installed (Debian's package pgbouncer): nothing is played through it.")
        return 0
    folder = new_folder()
    path = Path(folder.name)
    watch_over(*([] if options.keep else [path]))
    cpus = CPUS if "crowded" in options.plays else 0
    stage = Stage(path, seed=options.seed, pooled=options.pooled, cpus=cpus)
    problems = []
    try:
        stage.migrate(options.dump)
        import django

        django.setup()
        from tests.chaos import plays

        problems = plays.perform(stage, options)
    finally:
        stage.close()
        if options.keep:
            folder._finalizer.detach()  # type: ignore[attr-defined]
            print(f"kept {path}")
        else:
            folder.cleanup()
    for problem in problems:
        print(f"BROKEN: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
