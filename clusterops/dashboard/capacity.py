"""The machines as boxes: who holds what of each, what is reserved and does not run yet, and what would still fit."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings

from clusterops.contract import ClusterSnapshot, Node, Phase, Run
from clusterops.policy.capacity import largest_sizes
from clusterops.policy.fair_share import Resources
from clusterops.reconciler.pass_state import as_uuid
from clusterops.reconciler.room import takes_jobs
from clusterops.usage.pricing import PriceBook
from simulations.charts.svg import Svg, element, percent, picture
from simulations.models import Job
from tenants.plans import Item, billing_today

COLOURS = 5  # tenants with a colour of their own, those that hold most; the others share one
PODS = 40  # drawn one by one in a box
LANE = 14  # pixels
GI = 2**30
HATCH = Svg(
    '<svg class="defs" width="0" height="0" aria-hidden="true"><defs><pattern id="reserved" width="6" height="6" '
    'patternUnits="userSpaceOnUse"><path d="M-1 1L1 -1M0 6L6 0M5 7L7 5" class="hatch"/></pattern></defs></svg>'
)


@dataclass(frozen=True)
class Pod:
    """What one of our pods holds of its machine. Not `runs`: reserved, and starting."""

    tenant_id: str
    cpu: int
    memory_gi: int
    runs: bool


@dataclass(frozen=True)
class Box:
    """A machine's two lanes, and what an hour of its jobs costs their tenants."""

    cpu: Svg
    memory: Svg
    per_hour: Decimal | None


@dataclass(frozen=True)
class Capacity:
    """All machines together."""

    boxes: Mapping[str, Box]
    legend: Sequence[tuple[str, str]]  # (tenant, class)
    homeless: Sequence[tuple[str, int]]  # tenants whose pods have no machine yet, and how many
    fits: str
    per_hour: Decimal | None
    currency: str


def capacity(snapshot: ClusterSnapshot | None) -> Capacity | None:
    """One query for the jobs, two for prices."""
    if snapshot is None:
        return None
    pods = _pods(snapshot.runs)
    held: Counter[str] = Counter()
    for on_node in pods.values():
        for pod in on_node:
            held[pod.tenant_id] += pod.cpu
    names = [name for name, _ in held.most_common(COLOURS)]
    colours = {name: f"pod t{place}" for place, name in enumerate(names, 1)}
    prices = _prices(held)
    boxes = {node.name: _box(node, pods.get(node.name, []), colours, prices) for node in snapshot.nodes}
    homeless = Counter(pod.tenant_id for pod in pods.get("", []))
    legend = [(name, colours[name]) for name in names]
    if len(held) > len(names):
        legend.append((f"{len(held) - len(names)} more", "pod t6"))
    costs = [box.per_hour for box in boxes.values() if box.per_hour is not None]
    return Capacity(
        boxes, legend, homeless.most_common(), _fits(snapshot.nodes), sum(costs, Decimal(0)) if costs else None,
        settings.BILLING_CURRENCY,
    )  # fmt: skip


def _pods(runs: Iterable[Run]) -> dict[str, list[Pod]]:
    """By machine; without one under the empty name. Sizes are those of the jobs."""
    there = {Phase.WAITING, Phase.RUNNING, Phase.ENDING}
    held = [(run, as_uuid(run.job_id)) for run in runs if run.phase in there and not run.decided]
    jobs = Job.objects.filter(pk__in=[pk for _, pk in held if pk]).order_by()
    sizes = {row[0]: row[1:] for row in jobs.values_list("pk", "tenant_id", "cpu_request", "memory_gi")}
    found: dict[str, list[Pod]] = defaultdict(list)
    for run, pk in held:
        if pk and (size := sizes.get(pk)):
            found[run.node_name].append(Pod(*size, run.phase is not Phase.WAITING))
    return found


def _prices(tenants: Iterable[str]) -> dict[str, tuple[Decimal, Decimal]]:
    """A CPU's and a GiB's hour by tenant; without those that have no such price."""
    book, today = PriceBook(tenants), billing_today()
    found = {}
    for name in tenants:
        cpu, gib = book.price(name, Item.CPU_HOUR, today), book.price(name, Item.GIB_HOUR, today)
        if cpu is not None or gib is not None:
            found[name] = (cpu or Decimal(0), gib or Decimal(0))
    return found


def _box(node: Node, pods: list[Pod], colours: Mapping[str, str], prices: Mapping[str, tuple[Decimal, Decimal]]) -> Box:
    pods.sort(key=lambda pod: (not pod.runs, pod.tenant_id, -pod.cpu))
    drawn, rest = pods[:PODS], pods[PODS:]
    if rest:
        drawn.append(Pod(f"{len(rest)} more", sum(p.cpu for p in rest), sum(p.memory_gi for p in rest), True))
    costs = [
        pod.cpu * prices[pod.tenant_id][0] + pod.memory_gi * prices[pod.tenant_id][1]
        for pod in pods
        if pod.runs and pod.tenant_id in prices
    ]
    return Box(
        _lane(node.name, "CPU", node.cpu, node.cpu_of_others, [(pod, pod.cpu) for pod in drawn], colours),
        _lane(
            node.name, "Gi", node.memory / GI, node.memory_of_others / GI, [(pod, pod.memory_gi) for pod in drawn],
            colours,
        ),
        sum(costs, Decimal(0)) if costs else None,
    )  # fmt: skip


def _lane(
    name: str, unit: str, size: float, others: float, pods: Sequence[tuple[Pod, int]], colours: Mapping[str, str]
) -> Svg:
    """From the left: what is not ours, our pods, what is free."""
    whole = max(size, others + sum(amount for _, amount in pods), 0.001)
    drawn, told, place = [element("rect", width="100%", height=LANE, cls="free")], [], 0.0

    def part(amount: float, cls: str, words: str, *, reserved: bool = False) -> None:
        nonlocal place
        at: dict[str, Any] = {
            "x": percent(round(100 * place / whole, 3)), "width": percent(round(100 * amount / whole, 3)),
        }  # fmt: skip
        drawn.append(element("rect", **at, height=LANE, cls=cls, hint=words))
        if reserved:
            drawn.append(element("rect", **at, height=LANE, cls="hatched", fill="url(#reserved)", hint=words))
        told.append(words)
        place += amount

    if others > 0:
        part(others, "others", f"{others:.3g} {unit} of other pods")
    for pod, amount in pods:
        words = f"{pod.tenant_id}: {amount} {unit}{'' if pod.runs else ', reserved, not running yet'}"
        part(amount, colours.get(pod.tenant_id, "pod t6"), words, reserved=not pod.runs)
    told.append(f"{max(0.0, size - place):.3g} {unit} free")
    return picture(f"{name}, {size:.3g} {unit}: {'; '.join(told)}", LANE, *drawn, cls="lane")


def _fits(nodes: Iterable[Node]) -> str:
    """The largest job that finds room now, in whole cores and Gi."""
    free = [
        Resources(max(0.0, node.cpu - node.cpu_requested) // 1, max(0.0, node.memory - node.memory_requested) // GI)
        for node in nodes
        if node.ready and node.schedulable and takes_jobs(node)
    ]
    sizes = [(cpu, memory) for cpu, memory in largest_sizes(free) if cpu >= 1 and memory >= 1]
    return ", or ".join(f"{cpu:.0f} CPU and {memory:.0f} Gi" for cpu, memory in sizes[:3])
