"""What `sumo -c` runs, a hosted run runs; what it ends with, a hosted run ends with, and as early as it can.

One small scenario with one thing changed in its late demand, given to SUMO itself and to the runner.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.simulations.sumo.builders import run_sumo
from tests.simulations.sumo.conftest import config
from tests.simulations.sumo.harness import FakeControlPlane, Pod

ROUTE = '<route edges="A0B0 B0C0"/>'
FIRST = f'<vehicle id="first" depart="0">{ROUTE}</vehicle>'
WAITING_BUS = (
    '<vehicle id="bus" depart="300"><route edges="A0B0 B0C0"/><stop lane="A0B0_0" duration="400"/></vehicle>'
    f'<vehicle id="between" depart="650">{ROUTE}</vehicle>'
    '<person id="p" depart="triggered"><ride from="A0B0" to="B0C0" lines="bus"/></person>'
)
HOVERCRAFT = 'type="hovercraft"'
WINGS = 'wings="2"'
STOP_TWICE = '<busStop id="b" lane="A0B0_0" startPos="1" endPos="9"/>' * 2


def late(*, depart: object = 500, attributes: str = "", inner: str = ROUTE) -> str:
    return f'<vehicle id="late" depart="{depart}" {attributes}>{inner}</vehicle>'


# What to put into the route file behind the first vehicle, and whether SUMO ends well. The run ends at second 900.
DEMAND = {
    "sound": (late(), True),
    "unknown edge": (late(inner='<route edges="NOWHERE"/>'), False),
    "unknown edge that is read although it departs after the end": (
        late() + f'<vehicle id="x" depart="950">{ROUTE.replace("A0B0", "NOWHERE")}</vehicle>', False,
    ),
    "unknown edge that is never read": (
        f'{late(depart=1900)}<vehicle id="x" depart="5000">{ROUTE.replace("A0B0", "NOWHERE")}</vehicle>', True,
    ),
    "trip to an unknown edge": ('<trip id="late" depart="500" from="A0B0" to="NOWHERE"/>', False),
    "person to an unknown edge": ('<person id="late" depart="500"><walk from="A0B0" to="NOWHERE"/></person>', False),
    "unknown type": (late(attributes=HOVERCRAFT), False),
    "unknown type of a flow": ('<flow id="f" begin="500" number="3" type="hovercraft" from="A0B0" to="B0C0"/>', False),
    "unknown class of a type": (f'{late()}<vType id="q" vClass="hovercraft"/>', True),
    "broken XML": (f'{late()}<vehicle id="x" depart="600"', False),
    "bad attribute": (late(attributes='departLane="nowhere"'), False),
    "vehicle without an id": (f'<vehicle depart="500">{ROUTE}</vehicle>', False),
    "unknown stop": (late(inner=f'{ROUTE}<stop busStop="nowhere" duration="5"/>'), False),
    "an id used again": (f"{late()}{late(depart=600)}", False),
    "unsorted": (f'{late()}<vehicle id="early" depart="400">{ROUTE}</vehicle>', True),
    "stop declared twice": (f"{STOP_TWICE}{late()}", True),
    "output in a route file": (f'<edgeData id="e" file="nowhere/e.xml"/>{late()}', True),
    "unknown elements": (f'<elephant id="e"/>{late(attributes=WINGS)}', True),
    "passenger of a vehicle that still stands": (WAITING_BUS, True),
    "passenger of a vehicle that never was": (
        f'{late()}<person id="p" depart="triggered"><ride from="A0B0" to="B0C0" lines="bus"/></person>', False,
    ),
    "passenger who waits for ever": (
        '<person id="p" depart="500"><ride from="A0B0" to="B0C0" lines="never"/></person>', True,
    ),
    "route that jumps": (late(inner='<route edges="A0B0 C2B2"/>'), False),
}  # fmt: skip
# What only the run itself finds, in the middle of it.
SEEN_LATE = {"passenger of a vehicle that never was", "route that jumps"}


@pytest.mark.parametrize("case", DEMAND)
def test_late_demand(
    case: str, pod: Pod, plane: FakeControlPlane, scenario: Callable[..., bytes], tiny_net: str, tmp_path: Path
) -> None:
    demand, runs = DEMAND[case]
    routes = f"<routes>{FIRST}{demand}</routes>"
    plane.scenario = scenario(routes=routes, end=900)
    assert _sumo_ends_well(tmp_path / "alone", tiny_net, routes, end=900) is runs
    done = pod.run()
    assert (done.code == 0) is runs, done.stdout
    if not runs:
        assert done.code == (66 if case in SEEN_LATE else 65), done.stdout
        assert bool(done.of("progress")) is (case in SEEN_LATE)


def test_a_type_that_another_file_declares_is_known_by_then(
    pod: Pod, plane: FakeControlPlane, scenario: Callable[..., bytes]
) -> None:
    """SUMO reads the files in slices, side by side: not the first one to its end and then the second."""
    type_and_user = (
        f'<routes><vType id="hovercraft"/><vehicle id="x" depart="700" type="hovercraft">{ROUTE}</vehicle></routes>'
    )
    both = config(end=900).replace("routes.xml", "routes.xml,types.xml")
    plane.scenario = scenario(
        routes=f'<routes>{FIRST}<vehicle id="next" depart="9">{ROUTE}</vehicle>{late(attributes=HOVERCRAFT)}</routes>',
        files={"types.xml": type_and_user, "tiny.sumocfg": both},
    )
    assert pod.run().code == 0


def test_without_an_end_all_demand_is_read(pod: Pod, plane: FakeControlPlane, scenario: Callable[..., bytes]) -> None:
    plane.scenario = scenario(routes=f"<routes>{FIRST}{late(depart=50_000, attributes=HOVERCRAFT)}</routes>", end=None)
    done = pod.run()
    assert done.code == 65
    assert "'hovercraft'" in done.message["errors"][0]["message"]
    assert not done.of("progress")


def _sumo_ends_well(folder: Path, net: str, routes: str, *, end: int) -> bool:
    folder.mkdir()
    (folder / "net.xml").write_text(net)
    (folder / "routes.xml").write_text(routes)
    (folder / "run.sumocfg").write_text(
        f'<c><net-file value="net.xml"/><route-files value="routes.xml"/><end value="{end}"/></c>'
    )
    return run_sumo(folder, "run.sumocfg")[0] == 0
