"""The pass's door to studies: what ended is noted, and runs that may start become jobs, before the dispatcher looks."""

from clusterops.reconciler.pass_state import Pass
from simulations.edges.folding import fold_ended
from simulations.studies.services.run_submission import submit_runs


def fold_edges(this_pass: Pass) -> None:
    """After everything that somebody waits for; by one process."""
    if this_pass.memory.works_for_all():
        fold_ended(this_pass.now, this_pass.isolate)


def start_study_runs(this_pass: Pass) -> None:
    submit_runs(this_pass.now, this_pass.isolate, this_pass.cluster.pk)
