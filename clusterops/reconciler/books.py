"""The pass's door to what is charged: before the dispatcher looks, all that ended is in the ledger. And what the day
brings: plans that begin, keys that end, months to close."""

from clusterops.reconciler.pass_state import Pass
from clusterops.usage import budgets, posting, statements
from simulations.services.expiring_keys import tell_expiring_keys
from tenants.services import apply_due_plans

DAILY_LOOK_S = 600


def keep_books(this: Pass) -> None:
    this.more = not posting.post_all() or this.more
    with this.wall("budgets"):
        budgets.watch()
    if this.memory.due("books", DAILY_LOOK_S):
        with this.wall("plans whose day has come"):
            apply_due_plans()
        with this.wall("what is kept, in the ledger"):
            posting.post_storage()
        with this.wall("keys about to expire"):
            tell_expiring_keys()
        with this.wall("months to close"):
            statements.close_due()
