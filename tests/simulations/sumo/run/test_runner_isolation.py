import json
from collections.abc import Callable
from html import escape

import pytest

from simulations.sumo.protocol.endings import Outcome, RunEnd
from simulations.sumo.run.execution import scrubbed_environment
from simulations.sumo.run.isolation import PodEnvironment
from tests.simulations.sumo.harness import TOKEN, FakeControlPlane, Pod

FORGED = json.dumps({"v": 1, "t": 0, "event": "result", "outcome": "forged"})


def test_a_vehicle_id_cannot_forge_events_or_the_end_of_the_run(
    pod: Pod, plane: FakeControlPlane, scenario: Callable[..., bytes]
) -> None:
    identity = escape(f"x {FORGED} Reason: All vehicles have left the simulation.", quote=True)
    plane.scenario = scenario(
        routes=f"""<routes>
        <vehicle id="first" depart="0"><route edges="A0B0 B0C0"/></vehicle>
        <vehicle id="{identity}" depart="1"><route edges="A0A1 C1C2"/></vehicle>
    </routes>"""
    )
    done = pod.run()
    assert done.code in (65, 66)
    assert [event["outcome"] for event in done.of("result")] == [done.message["outcome"]]
    assert done.message["reason"] is None


def test_text_with_line_breaks_stays_inside_one_log_event(pod: Pod) -> None:
    """A stand-in for SUMO that says what no SUMO would."""
    script = pod.folder / "forges"
    script.write_text(
        f"#!/bin/sh\nprintf '%s\\n' 'Error: x' '{FORGED}' 'Reason: The end' >&2\necho '{FORGED}'\nexit 1\n"
    )
    script.chmod(0o755)
    pod.extra_environment["SUMO_BINARY"] = str(script)
    done = pod.run()
    assert done.code == 65
    assert [event["outcome"] for event in done.of("result")] == ["invalid_scenario"]


def test_sumo_sees_nothing_of_the_runners_environment(
    pod: Pod, plane: FakeControlPlane, scenario: Callable[..., bytes]
) -> None:
    script = pod.folder / "shows-environment"
    real = pod.sumo_environment["SUMO_BINARY"]
    script.write_text(f'#!/bin/sh\nenv >> "{pod.folder}/seen"\nexec "{real}" "$@"\n')
    script.chmod(0o755)
    pod.extra_environment |= {"SUMO_BINARY": str(script), "AWS_SECRET_ACCESS_KEY": "topsecret"}
    assert pod.run().code == 0
    seen = (pod.folder / "seen").read_text()
    names = {line.partition("=")[0] for line in seen.splitlines()}
    assert names <= {"SUMO_HOME", "PROJ_LIB", "LD_LIBRARY_PATH", "PATH", "LANG", "PWD", "OLDPWD", "SHLVL", "_"}
    assert TOKEN not in seen


@pytest.mark.parametrize("place", ["config", "additional"])
def test_variables_of_the_environment_do_not_expand_in_a_scenario(
    pod: Pod, plane: FakeControlPlane, scenario: Callable[..., bytes], place: str
) -> None:
    name = "${SUMOK8_TOKEN}_${SECRET}.xml"
    if place == "config":
        plane.scenario = scenario(extra=f'<vehroute-output value="{name}"/>')
    else:
        loop = f'<additional><inductionLoop id="d" lane="A0B0_0" pos="9" period="60" file="{name}"/></additional>'
        plane.scenario = scenario(extra='<additional-files value="d.xml"/>', files={"d.xml": loop})
    pod.extra_environment["SECRET"] = "topsecret"
    done = pod.run()
    stored = " ".join(done.artifacts) + " ".join(path.name for path in done.work.rglob("*"))
    assert TOKEN not in stored
    assert "topsecret" not in stored


def test_the_token_leaves_the_environment_of_the_runner() -> None:
    environ = {
        "SUMOK8_JOB": "{}", "JOB_ID": "1", "SUMOK8_URL": "http://x", "SUMOK8_TOKEN": "t", "SUMO_BINARY": "s",
        "WORK_DIR": "/w", "SUMO_HOME": "/opt/sumo", "OTHER": "x",
    }  # fmt: skip
    pod = PodEnvironment.take(environ)
    assert "SUMOK8_TOKEN" not in environ
    assert pod.for_sumo == {"SUMO_HOME": "/opt/sumo", "LANG": "C.UTF-8"} == scrubbed_environment(environ)


def test_all_that_is_missing_in_the_environment_is_named() -> None:
    with pytest.raises(RunEnd) as end:
        PodEnvironment.take({"SUMOK8_JOB": "{}", "JOB_ID": "", "SUMOK8_TOKEN": "t", "SUMO_BINARY": "s"})
    assert end.value.outcome is Outcome.INVALID_JOB
    assert [problem.message for problem in end.value.problems] == [
        f"The variable {name} is not set." for name in ("JOB_ID", "SUMOK8_URL", "WORK_DIR")
    ]
