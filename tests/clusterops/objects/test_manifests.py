"""What is written to the cluster, where a mistake would not show in what the cluster answers."""

import json
import re
from ipaddress import ip_address, ip_network
from typing import Any

from clusterops.contract import NamespaceSpec, RunSpec
from clusterops.objects import manifests

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


def egress_to_dns() -> dict[str, Any]:
    policy = manifests.isolation(NamespaceSpec("city-a", "city-a", 1, 1, 1))
    return policy["spec"]["egress"][0]


def test_names_are_asked_of_pods_and_of_private_networks_whichever_port_the_server_has() -> None:
    rule = egress_to_dns()
    assert {(port["protocol"], port["port"]) for port in rule["ports"]} == {
        *(("UDP", 53), ("TCP", 53), ("UDP", 5353), ("TCP", 5353)),
    }
    assert rule["to"][0] == {"namespaceSelector": {}}
    networks = [ip_network(each["ipBlock"]["cidr"]) for each in rule["to"][1:]]
    for server in ("169.254.20.10", "169.254.169.254", "10.0.0.10", "192.168.1.1", "100.64.0.2", "fd00::a"):
        assert any(ip_address(server) in network for network in networks), server
    assert not any(network.is_global for network in networks)


def test_where_names_are_asked_is_the_operators_to_say(settings: Any) -> None:
    settings.RUNNER_DNS_CIDRS, settings.RUNNER_DNS_PORTS = ["203.0.113.53/32"], [53]
    assert [each.get("ipBlock") for each in egress_to_dns()["to"]] == [None, {"cidr": "203.0.113.53/32"}]
    settings.RUNNER_DNS_CIDRS = ["any"]
    assert egress_to_dns() == {"ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}
