"""What the kernel tells of the container's memory."""

from pathlib import Path

# Of cgroup v2 and v1. With v1 the kernel kills SUMO alone, so nobody else can tell why it died.
COUNTERS = (Path("/sys/fs/cgroup/memory.events"), Path("/sys/fs/cgroup/memory/memory.oom_control"))


def oom_kills() -> int:
    """Processes of this container that were killed for memory so far; 0 if that cannot be read."""
    for path in COUNTERS:
        try:
            text = path.read_text(encoding="ascii")
        except OSError:
            continue
        counts = dict(line.split() for line in text.splitlines() if len(line.split()) == 2)
        return int(counts.get("oom_kill", 0))
    return 0
