"""How much of the cluster is free for new jobs. Pure: sizes in, sentences out.

Beyond it a job waits with us, in order and with a reason, rather than as a pod that times out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from clusterops.policy.fair_share import USUAL, Resources
from simulations.machines import too_large
from simulations.models import Job


class Capacity:
    """No bound is known: the cluster takes what it is given. `whole`: by which shares are reckoned."""

    is_reserved = False  # room is kept free for a job

    def __init__(self, whole: Resources = USUAL) -> None:
        self.whole = whole

    def never_fits(self, job: Job) -> str:
        """Why the cluster could not hold the job even if it were empty; empty: it could."""
        return ""

    def fits(self, job: Job) -> bool:
        return True

    def take(self, job: Job) -> None:
        """What starts now."""

    def reserve(self, job: Job) -> None:
        """Keep room free for a job that does not fit yet."""


class PoolCapacity(Capacity):
    """One sum, as of a node pool's limits, less what our `started` jobs ask for."""

    def __init__(self, total: Resources, started: Iterable[Job]) -> None:
        super().__init__(total)
        self._free = total
        for job in started:
            self.take(job)

    def never_fits(self, job: Job) -> str:
        return too_large([(self.whole.cpu, self.whole.memory_gi)], job.cpu_request, job.memory_gi)

    def fits(self, job: Job) -> bool:
        return self._free.covers(Resources.of(job))

    def take(self, job: Job) -> None:
        self._free -= Resources.of(job)

    def reserve(self, job: Job) -> None:
        self.is_reserved = True
        self.take(job)


@dataclass
class Machine:
    """`free`: its size less what other pods than ours request. One that is not `usable` now may be so again."""

    name: str
    size: Resources
    free: Resources
    usable: bool = True
    reserved: bool = field(default=False, init=False)
    most: Resources = field(init=False)  # that jobs of ours could have at one time

    def __post_init__(self) -> None:
        self.most = self.free

    def lacks(self, asked: Resources) -> float:
        """The dominant share of its size that is missing; 0 or less: it fits."""
        return max(
            (asked.cpu - self.free.cpu) / self.size.cpu, (asked.memory_gi - self.free.memory_gi) / self.size.memory_gi
        )


class MachineCapacity(Capacity):
    """Machine by machine: what is free in all of them together may fit in none."""

    def __init__(self, machines: Iterable[Machine], started: Iterable[Job]) -> None:
        known = sorted((each for each in machines if each.size.cpu and each.size.memory_gi), key=lambda m: m.name)
        usable = [each for each in known if each.usable]
        super().__init__(sum((each.size for each in usable), Resources()) if usable else USUAL)
        self._usable = {each.name: each for each in usable}
        self._sizes = largest_sizes(each.most for each in known)
        unplaced = []
        for job in started:
            if job.node_name in self._usable:
                self._usable[job.node_name].free -= Resources.of(job)
            elif not job.node_name:
                unplaced.append(job)
        for job in unplaced:
            self.take(job)

    def never_fits(self, job: Job) -> str:
        return too_large(self._sizes, job.cpu_request, job.memory_gi)

    def fits(self, job: Job) -> bool:
        asked = Resources.of(job)
        return any(not each.reserved and each.free.covers(asked) for each in self._usable.values())

    def take(self, job: Job) -> None:
        """From the machine with most room, as Kubernetes' scheduler chooses by default."""
        asked = Resources.of(job)
        free = [each for each in self._usable.values() if not each.reserved] or list(self._usable.values())
        if free:
            chosen = min(free, key=lambda each: (each.lacks(asked), each.name))
            chosen.free -= asked

    def reserve(self, job: Job) -> None:
        """The machine that lacks least for it: as its jobs end it lacks less and less, so it stays the one."""
        asked = Resources.of(job)
        able = [each for each in self._usable.values() if not each.reserved and each.most.covers(asked)]
        if able:
            min(able, key=lambda each: (each.lacks(asked), each.name)).reserved = True
            self.is_reserved = True


def largest_sizes(sizes: Iterable[Resources]) -> Sequence[tuple[float, float]]:
    """(cores, Gi) of those that no other exceeds in both, most cores first."""
    found: list[tuple[float, float]] = []
    for size in sorted(sizes, key=lambda each: (-each.cpu, -each.memory_gi)):
        if not found or size.memory_gi > found[-1][1]:
            found.append((size.cpu, size.memory_gi))
    return found
