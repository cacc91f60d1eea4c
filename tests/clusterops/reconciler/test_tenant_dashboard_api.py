"""GET /tenants/me/dashboard: the specification's shape, from the cluster or from the database."""

import pytest

from clusterops.gateway import forget_gateways
from tests.conftest import client_with
from tests.factories import issue_key

pytestmark = pytest.mark.local_cluster


@pytest.fixture(autouse=True)
def _fresh_gateway():
    forget_gateways()
    yield
    forget_gateways()


def test_usage_is_the_clusters(loop, submit, city, settings, fate_cluster, tmp_path, django_assert_max_num_queries):
    settings.KUBE_CONFIG_PATH = str(fate_cluster.config.kubeconfig)
    go = tmp_path / "go"
    job, queued = submit(hold=str(go), cpu_request=2, memory_gi=4), submit(cpu_request=9)
    loop.until_reason(job, "RUNNING")
    api = client_with(issue_key(city))
    api.get("/tenants/me/dashboard")
    with django_assert_max_num_queries(5):
        answer = api.get("/tenants/me/dashboard").json()
    assert answer["tenant_id"] == city.tenant_id
    assert answer["plan_limits"] == answer["plan_limits"] | {
        "max_cpu": 10,
        "max_memory_gi": 20,
        "max_concurrent_jobs": 5,
    }
    assert answer["current_usage"] == {"requests.cpu": "2", "requests.memory": "4Gi"}
    assert answer["running_pods"] == 1
    assert answer["usage_source"] == "cluster"
    assert answer["stats"] == {"pending": 1, "running": 1, "succeeded": 0, "failed": 0, "cancelled": 0, "queued": 1}
    assert [row["job_id"] for row in answer["recent_jobs"]] == [str(queued.pk), str(job.pk)]
    go.touch()
    loop.until_ended(job)


def test_without_a_cluster_usage_is_the_databases_and_says_so(city, submit, settings) -> None:
    settings.KUBE_CONFIG_PATH = "/nonexistent"
    submit()
    answer = client_with(issue_key(city)).get("/tenants/me/dashboard").json()
    assert answer["usage_source"] == "database"
    assert answer["current_usage"] == {"requests.cpu": "0", "requests.memory": "0Gi"}
