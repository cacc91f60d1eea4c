"""What is written to the cluster, where a mistake would not show in what the cluster answers."""

import json
import re
from typing import Any

from clusterops import manifests
from clusterops.contract import RunSpec

REFERENCE = re.compile(r"\$\$|\$\(([^)]+)\)")


def as_the_kubelet_expands(env: list[dict[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in env:
        found[entry["name"]] = REFERENCE.sub(
            lambda match: "$" if match[0] == "$$" else found.get(match[1], match[0]), entry["value"]
        )
    return found


def test_what_a_tenant_named_is_never_filled_in() -> None:
    description: dict[str, Any] = {
        "job_id": "493a1d2f-7181-4477-838a-b331e1b6ce4c",
        "scenario": {"config": "$(SUMOK8_TOKEN) $$ $$(HOME) $ $x.sumocfg"},
        "limits": {"unpacked_bytes": 1, "output_bytes": 1},
    }
    spec = RunSpec(
        job_id="493a1d2f71814477838ab331e1b6ce4c",
        tenant_id="city-a",
        namespace="city-a",
        name="sumo-1",
        attempt=1,
        scenario_id="midtown",
        cpu=1,
        memory_gi=1,
        description=description,
        token="secret$token",
        wall_s=60,
    )
    container = manifests.job(spec)["spec"]["template"]["spec"]["containers"][0]
    env = as_the_kubelet_expands(container["env"])
    assert json.loads(env["SUMOK8_JOB"]) == description
    assert env["SUMOK8_TOKEN"] == "secret$token"
