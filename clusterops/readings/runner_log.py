"""What the runner says of itself in its log that nobody else can tell. Pure."""

from simulations.sumo.protocol import strict_json
from simulations.sumo.protocol.endings import UNREACHABLE_PHASE

MAX_LINE = 16 * 1024  # characters; the runner's own are much shorter
LINES = 20  # from the end: the runner repeats it at each try


def unreachable(text: str) -> str:
    """The runner's last words if it cannot reach the control plane at the moment; empty if it can, or says nothing."""
    for line in reversed(text.rstrip("\n").split("\n")[-LINES:]):
        try:
            event = strict_json.loads(line, max_length=MAX_LINE)
        except ValueError:
            continue
        if isinstance(event, dict) and event.get("event") in ("phase", "progress", "result"):
            return str(event.get("message", ""))[:500] if event.get("phase") == UNREACHABLE_PHASE else ""
    return ""
