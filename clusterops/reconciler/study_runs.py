"""The pass's door to studies: what ended is noted, and runs that may start become jobs, before the dispatcher looks."""

from clusterops.reconciler.pass_state import Pass
from simulations.edges.folding import fold_ended
from simulations.studies.services.run_submission import submit_runs


def fold_edges(this: Pass) -> None:
    """After everything that somebody waits for."""
    fold_ended(this.now, this.wall)


def start_study_runs(this: Pass) -> None:
    submit_runs(this.now, this.wall)
