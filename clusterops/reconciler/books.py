"""The pass's door to what is charged: before the dispatcher looks, all that ended is in the ledger. And what the day
brings: plans that begin, keys that end, months to close."""

from clusterops.reconciler.pass_state import Pass
from clusterops.usage import budgets, posting, statements
from simulations.services.expiring_keys import tell_expiring_keys
from tenants.services import apply_due_plans

DAILY_LOOK_S = 600


def keep_books(this_pass: Pass) -> None:
    with this_pass.isolate("ended runs, in the ledger"):
        this_pass.more = not posting.post_all() or this_pass.more
    with this_pass.isolate("budgets"):
        budgets.watch()
    if this_pass.memory.works_for_all() and this_pass.memory.due("books", DAILY_LOOK_S):
        with this_pass.isolate("plans whose day has come"):
            apply_due_plans()
        with this_pass.isolate("what is kept, in the ledger"):
            posting.post_storage()
        with this_pass.isolate("keys about to expire"):
            tell_expiring_keys()
        with this_pass.isolate("months to close"):
            statements.close_due()
