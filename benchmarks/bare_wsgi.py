"""The reference for submissions: a WSGI app without a framework that does the same lock and INSERT."""

import json
import os
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from psycopg.types.json import Jsonb
from psycopg_pool import ConnectionPool

COLUMNS = (
    "job_id, tenant_id, k8s_job_name, k8s_namespace, status, reason, message, submitted_at, attempt, scenario_id,"
    " scenario_data, cpu_request, memory_gi, priority, labels, request_sha256, admitted_as, admission_limit,"
    " pod_name, node_name, disruptions, priority_class"
)
host, _, name = os.environ["DATABASE_URL"].partition("@/")[2].rpartition("/")
pool = ConnectionPool(
    kwargs={"host": host, "dbname": name, "user": "postgres"}, min_size=1, max_size=16, open=True, timeout=10
)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if environ["REQUEST_METHOD"] != "POST":
        start_response("200 OK", [])
        return [b"ok"]
    body = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    job = uuid.uuid4()
    with pool.connection() as connection:
        tenant = connection.execute(
            "SELECT t.tenant_id, t.namespace FROM api_keys k JOIN tenants t USING (tenant_id) LIMIT 1"
        ).fetchone()
        connection.execute("SELECT 1 FROM tenants WHERE tenant_id = %s FOR NO KEY UPDATE", [tenant[0]])
        values = [
            job, tenant[0], f"sim-{job.hex}", tenant[1], "PENDING", "QUEUED", "", datetime.now(UTC), 1, None,
            Jsonb(body), 1, 1, 0, Jsonb({}), "", 1, 1, "", "", 0, 0,
        ]  # fmt: skip
        marks = ", ".join(["%s"] * len(values))
        connection.execute(f"INSERT INTO jobs ({COLUMNS}) VALUES ({marks})", values)
    start_response("201 Created", [("Content-Type", "application/json")])
    return [json.dumps({"job_id": str(job), "status": "PENDING"}).encode()]
