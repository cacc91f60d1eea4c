"""The pass's door to what is charged: before the dispatcher looks, all that ended is in the ledger. And what the day
brings: plans that begin, keys that end, months to close."""

from clusterops.reconciler.pass_state import Pass
from clusterops.usage import budgets, parts, posting, statements, weekly
from clusterops.usage.entries import BATCH, Told
from simulations.services import refusals
from simulations.services.expiring_keys import tell_expiring_keys
from tenants.services import apply_due_plans

DAILY_LOOK_S = 600
BATCHES = 20
RUN = "entries of run "


def keep_books(this_pass: Pass) -> None:
    with this_pass.isolate("ended runs, in the ledger"):
        this_pass.more = not _post_runs(this_pass) or this_pass.more
    with this_pass.isolate("budgets"):
        budgets.watch()
    if this_pass.memory.works_for_all() and this_pass.memory.due("books", DAILY_LOOK_S):
        with this_pass.isolate("plans whose day has come"):
            apply_due_plans()
        with this_pass.isolate("what is kept, in the ledger"):
            posting.post_storage()
        with this_pass.isolate("days of long runs, in the ledger"):
            any(parts.post_days(_told_in(this_pass)) < BATCH for _ in range(BATCHES))
        with this_pass.isolate("keys about to expire"):
            tell_expiring_keys()
        with this_pass.isolate("refusals of long ago"):
            refusals.forget()
        with this_pass.isolate("what tenants ran in the week"):
            weekly.tell_weeks()
        with this_pass.isolate("months to close"):
            statements.close_due()


def _post_runs(this_pass: Pass) -> bool:
    """All that ended, but what could not be posted lately, which is tried again less and less often."""
    resting = [int(what.removeprefix(RUN)) for what in this_pass.memory.troubles.resting() if what.startswith(RUN)]
    return posting.post_all(left_out=resting, tell=_told_in(this_pass))


def _told_in(this_pass: Pass) -> Told:
    """What cannot be posted needs the operator, pass after pass."""

    def tell(run_id: int, problem: str) -> None:
        this_pass.counts.errors += 1
        this_pass.memory.troubles.failed(f"{RUN}{run_id}", problem, this_pass.now)

    return tell
