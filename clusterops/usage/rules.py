"""What is billed, by the table of endings; the rest is not. Pure; `docs/usage.md` is checked against it."""

from simulations.sumo.protocol.endings import ENDINGS

BILLED = frozenset(str(reason) for reason, row in ENDINGS.items() if row.status and row.billable)
OWN = "The tenant had what it asked for, or the ending was the job's own."
NOT_OWN = "The cluster or the service ended it, or nobody knows how it ended."
UNKNOWN_END = "Nobody saw when it ended; the time shown is the last at which it was seen."


def is_billable(ending: str, *, end_is_estimate: bool) -> bool:
    """Whether a run that ended for this reason is billed. What nobody saw the end of is not, whatever the reason."""
    return ending in BILLED and not end_is_estimate


def why(ending: str, *, end_is_estimate: bool) -> str:
    """The sentence behind `is_billable`; empty while it runs."""
    if not ending:
        return ""
    if ending not in BILLED:
        return NOT_OWN
    return UNKNOWN_END if end_is_estimate else OWN
