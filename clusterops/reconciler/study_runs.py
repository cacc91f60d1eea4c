"""The pass's door to studies: what ended is noted, and runs that may start become jobs, before the dispatcher looks."""

from clusterops.reconciler.pass_state import Pass
from simulations.edges.folding import fold_ended, forget_unused_networks
from simulations.studies.services.run_submission import submit_runs

NETWORKS_S = 600


def fold_edges(this_pass: Pass) -> None:
    """After everything that somebody waits for; by one process, beside its passes if it may."""
    keeper = this_pass.memory.traffic_keeper
    if not this_pass.memory.works_for_all():
        return
    if keeper is None:
        _fold(this_pass)
    elif keeper.is_free(this_pass):
        keeper.give(this_pass, _fold)


def _fold(this_pass: Pass) -> None:
    fold_ended(this_pass.now, this_pass.isolate)
    if this_pass.memory.due("networks", NETWORKS_S):
        with this_pass.isolate("networks that nothing is drawn on"):
            forget_unused_networks()


def start_study_runs(this_pass: Pass) -> None:
    submit_runs(this_pass.now, this_pass.isolate, this_pass.cluster.pk)
